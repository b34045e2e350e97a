// Finding: filters, the address that holds them, counts, and taking along what was found.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { entry, isLive, law, numberIn, rows, shown, some, until, usesBrowser } from './harness.mjs';

usesBrowser();

const filters = (page) => page.getByRole('complementary', { name: 'Filters' });
const panel = (page) => page.getByRole('complementary', { name: 'One entry' });
const chip = (page, name) => page.getByRole('button', { name: `Remove the filter ${name}` });

law('filters and the open entry are in the address, and a fresh profile shows the same rows', async (daybook, visit) => {
  await daybook.recordMany(some(120));
  const page = await visit('/activity');
  await filters(page).getByRole('button', { name: /^warning/ }).click();
  await chip(page, 'severity warning').waitFor();
  await filters(page).getByRole('button', { name: /^user:a/ }).click();
  await chip(page, 'actor user:a').waitFor();
  await page.getByRole('searchbox').fill('many');
  await page.waitForURL(/q=many/);
  const expected = (await daybook.all('severity=warning&actor=user:a&q=many')).map(({ seq }) => seq);
  assert.ok(expected.length > 5);
  await until('the list is what is sought', async () => (await shown(page))[0] === expected[0]);
  await rows(page).nth(3).click();
  await panel(page).getByRole('heading').waitFor();
  const title = await panel(page).getByRole('heading').textContent();
  await page.waitForURL(/entry=al_/);
  const other = await visit(page.url());
  await rows(other).first().waitFor();
  assert.deepEqual(await shown(other), await shown(page));
  assert.deepEqual(await shown(other), expected);
  assert.equal(await panel(other).getByRole('heading').textContent(), title);
});

law('Back takes one filter away', async (daybook, visit) => {
  await daybook.recordMany(some(60));
  const page = await visit('/activity');
  await filters(page).getByRole('button', { name: /^error/ }).click();
  await chip(page, 'severity error').waitFor();
  await filters(page).getByRole('button', { name: /^user:b/ }).click();
  await chip(page, 'actor user:b').waitFor();
  await page.goBack();
  await chip(page, 'actor user:b').waitFor({ state: 'detached' });
  await chip(page, 'severity error').waitFor();
  await page.goBack();
  await chip(page, 'severity error').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).search, '');
  const all = await daybook.all();
  await until('all are shown again', async () => (await shown(page))[0] === all[0].seq);
});

law('the number beside a value is the total that choosing it gives', async (daybook, visit) => {
  await daybook.recordMany(some(137));
  const page = await visit('/activity');
  const dimensions = await daybook.get('/activity/facets');
  for (const [field, values] of Object.entries(dimensions.facets)) {
    for (const { value, count } of values) {
      const group = filters(page).getByRole('group', { name: field.replace('_', ' '), exact: true });
      await group.getByRole('button', { name: new RegExp(`^${value.replaceAll('.', '\\.')}\\s*${count}$`) }).click();
      await page.waitForURL(new RegExp(`${field}=`));
      const total = (await daybook.get(`/activity/count?${new URL(page.url()).searchParams}`)).count;
      assert.equal(total, count, `${field} ${value}`);
      await until('the histogram adds up to it', async () => numberIn(await page.locator('time-histogram .reading').textContent()) === count);
      await page.goBack();
      await page.waitForURL((url) => url.search === '');
    }
  }
});

law('the panel shows every field, and what it copies is what the API says', async (daybook, visit) => {
  await daybook.recordMany([entry({
    actor: 'user:anna', entity_type: 'task', entity_id: 't-7', entity_name: 'Paint the fence',
    severity: 'warning', metadata: { nested: { list: [1, 2.5, null, 'ü'] }, empty: {} },
  })]);
  const page = await visit('/activity', { permissions: ['clipboard-read', 'clipboard-write'] });
  await rows(page).filter({ hasText: 'Paint the fence' }).click();
  const [{ seq, entry: held }] = await daybook.all('entity_id=t-7&entity_type=task');
  const text = await panel(page).innerText();
  for (const [field, value] of Object.entries(held)) {
    assert.ok(text.includes(field), field);
    if (value !== null && typeof value !== 'object') assert.ok(text.includes(String(value)), `${field}: ${value}`);
  }
  assert.ok(text.includes(String(seq)));
  assert.ok(text.includes(JSON.stringify(held.metadata, null, 2)), text);
  await panel(page).getByRole('button', { name: 'Copy as JSON' }).click();
  await panel(page).getByRole('button', { name: 'Copied' }).waitFor();
  assert.deepEqual(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())), held);
  await panel(page).getByRole('button', { name: 'Copied' }).waitFor({ state: 'detached' });
  await panel(page).getByRole('button', { name: 'Copy as curl' }).click();
  await panel(page).getByRole('button', { name: 'Copied' }).waitFor();
  const line = await page.evaluate(() => navigator.clipboard.readText());
  const answer = await fetch(/'([^']+)'/.exec(line)[1]);
  assert.deepEqual((await answer.json()).entry, held);
  await panel(page).getByRole('button', { name: 'Only this actor' }).click();
  await page.waitForURL(/actor=user%3Aanna/);
});

law('from an entry it is one click to the trail of its entity, which shows that alone', async (daybook, visit) => {
  await daybook.recordMany(some(50));
  const page = await visit('/activity');
  await rows(page).filter({ hasText: 't-3' }).first().click();
  await panel(page).getByRole('link', { name: /trail/ }).click();
  await page.getByRole('heading', { name: /The trail of task t-3/ }).waitFor();
  const expected = (await daybook.all('entity_type=task&entity_id=t-3')).map(({ seq }) => seq);
  await until('the trail is shown', async () => JSON.stringify(await shown(page)) === JSON.stringify(expected));
});

law('an export holds what is filtered, all of it and no more', async (daybook, visit) => {
  await daybook.recordMany(some(1500));
  const page = await visit('/activity?severity=warning&actor=user:a');
  await rows(page).first().waitFor();
  const expected = (await daybook.all('severity=warning&actor=user:a')).map(({ entry }) => entry.id).sort();
  for (const format of ['JSON', 'NDJSON', 'CSV']) {
    await page.getByText('Export', { exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'), page.getByRole('button', { name: format, exact: true }).click(),
    ]);
    const text = await readFile(await download.path(), 'utf8');
    const ids = format === 'CSV' ? text.match(/al_[0-9a-f]{32}/g)
      : (format === 'JSON' ? JSON.parse(text) : text.trim().split('\n').map((line) => JSON.parse(line))).map(({ id }) => id);
    assert.deepEqual(ids.sort(), expected, format);
    await page.getByRole('status').filter({ hasText: `${expected.length} entries` }).waitFor();
  }
});

law('arrow keys choose a time on the histogram, and a double click gives it back', async (daybook, visit) => {
  await daybook.recordMany(some(40));
  const page = await visit('/activity?since=1h');
  const chart = page.getByRole('application', { name: /entries from/ });
  await chart.focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Enter');
  await page.waitForURL(/until=/);
  const params = new URL(page.url()).searchParams;
  assert.ok(params.get('since') < params.get('until'));
  const expected = (await daybook.all(params.toString())).map(({ seq }) => seq);
  assert.ok(expected.length > 0, 'the newest bars hold what was recorded now');
  await until('the rows are those of the time', async () => expected.join().startsWith((await shown(page)).join() || 'none'));
  await chart.dblclick();
  await page.waitForURL((url) => !url.searchParams.has('since') && !url.searchParams.has('until'));
});

law('dragging across the histogram chooses the time of the bars that were touched', async (daybook, visit) => {
  await daybook.recordMany(some(40));
  const page = await visit('/activity?since=1h');
  const chart = page.getByRole('application', { name: /entries from/ });
  const { x, y, width, height } = await chart.boundingBox();
  await page.mouse.move(x + width * 0.5, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width * 0.75, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/until=/);
  const params = new URL(page.url()).searchParams;
  const minutes = (Date.parse(params.get('until')) - Date.parse(params.get('since'))) / 60_000;
  assert.ok(minutes > 13 && minutes < 18, `a quarter of an hour was dragged across, ${minutes} minutes were chosen`);
  assert.deepEqual(await daybook.all(params.toString()), [], 'nothing was recorded then');
  await until('the list is empty', async () => (await rows(page).count()) === 0);
});

law('whoever has the keys alone searches, walks, opens, closes and is told the keys', async (daybook, visit) => {
  await daybook.recordMany(some(30));
  const page = await visit('/activity');
  await isLive(page);
  const isAt = (seq) => until(`the focus is on ${seq}`, () => page.evaluate((seq) => document.activeElement?.dataset.seq === String(seq), seq));
  const all = await shown(page);
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'search');
  await page.keyboard.type('Entry 1');
  await page.waitForURL(/q=Entry\+1/);
  const found = (await daybook.all('q=Entry 1')).map(({ seq }) => seq);
  await until('they are found', async () => JSON.stringify(await shown(page)) === JSON.stringify(found));
  assert.ok(found.length < all.length);
  await page.keyboard.press('Enter');
  await isAt(found[0]);
  await page.keyboard.press('j');
  await isAt(found[1]);
  await page.keyboard.press('j');
  await isAt(found[2]);
  await page.keyboard.press('k');
  await isAt(found[1]);
  await page.keyboard.press('Enter');
  await panel(page).waitFor();
  assert.ok((await panel(page).innerText()).includes(String(found[1])));
  await page.keyboard.press('Escape');
  await panel(page).waitFor({ state: 'detached' });
  await isAt(found[1]);
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'hidden' });
});
