// How entries are shown: what is left out, columns, zones, the palette, keys, a phone.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { entry, isLive, law, rows, shown, some, until, usesBrowser } from './harness.mjs';

usesBrowser();

const panel = (page) => page.getByRole('complementary', { name: 'One entry' });

law('what is left out by a field of an entry is gone, live too, and comes back with its chip', async (daybook, visit) => {
  await daybook.recordMany(some(60));
  const page = await visit('/activity');
  await isLive(page);
  await rows(page).filter({ hasText: 'user:a' }).first().click();
  await panel(page).getByRole('button', { name: 'Without this actor' }).click();
  await page.waitForURL(/not_actor=user%3Aa/);
  const expected = () => daybook.all('not_actor=user:a').then((all) => all.map(({ seq }) => seq));
  await until('they are gone', async () => (await rows(page).filter({ hasText: 'user:a' }).count()) === 0);
  await isLive(page);
  await daybook.record(entry({ actor: 'user:a', message: 'Not this one' }));
  await daybook.record(entry({ actor: 'user:z', message: 'But this one' }));
  await rows(page).first().filter({ hasText: 'But this one' }).waitFor();
  assert.deepEqual((await shown(page)).slice(0, 5), (await expected()).slice(0, 5));
  await page.getByRole('button', { name: 'Remove the filter not actor user:a' }).click();
  await rows(page).filter({ hasText: 'Not this one' }).waitFor();
});

law('columns and zone are in the address, so that a link shows a colleague the same', async (daybook, visit) => {
  await daybook.recordMany(some(10));
  const page = await visit('/activity', { timezoneId: 'Europe/Berlin' });
  await isLive(page);
  await page.getByText('Show', { exact: true }).click();
  await page.getByLabel('Address').check();
  await page.getByLabel('Entity', { exact: true }).uncheck();
  await page.getByLabel('Another zone').fill('Asia/Kolkata');
  await page.keyboard.press('Enter');
  await page.waitForURL(/zone=Asia%2FKolkata/);
  await page.getByLabel('Date and time').check();
  const cells = (page) => rows(page).first().getByRole('gridcell').allTextContents();
  const other = await visit(page.url(), { timezoneId: 'America/New_York' });
  await other.getByText('Show', { exact: true }).click();
  await other.getByLabel('Date and time').check();
  assert.deepEqual(await cells(other), await cells(page));
  const [{ entry: newest }] = await daybook.all();
  const expected = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Kolkata', dateStyle: 'short', timeStyle: 'medium' });
  assert.ok((await cells(page)).includes(expected.format(new Date(newest.ts))), `${await cells(page)}`);
  await page.getByLabel('Another zone').fill('Nowhere/Land');
  await page.keyboard.press('Enter');
  assert.equal(await page.getByLabel('Another zone').evaluate((field) => field.validationMessage), 'No zone has that name');
});

law('the ends of a range are right in the nights in which the clock is set', async (daybook, visit) => {
  const page = await visit('/activity?zone=Europe/Berlin', { timezoneId: 'America/New_York' });
  const said = (text) => page.evaluate(async (text) => (await import('/assets/time.js')).fromField(text), text);
  for (const [wall, moment] of [
    ['2026-03-29T01:59:59', '2026-03-29T00:59:59.000Z'],
    ['2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
    ['2026-10-25T01:30:00', '2026-10-24T23:30:00.000Z'],
    ['2026-10-25T02:30:00', '2026-10-25T00:30:00.000Z'],
    ['2026-10-25T03:00:00', '2026-10-25T02:00:00.000Z'],
    ['2026-07-01T12:00:00', '2026-07-01T10:00:00.000Z'],
  ]) assert.equal(await said(wall), moment, wall);
  await page.goto('/activity?zone=Europe/Berlin&since=2026-10-24T22:00:00.000Z&until=2026-10-25T23:00:00.000Z');
  const end = (name) => page.getByRole('textbox', { name, exact: true });
  assert.match(await end('From').inputValue(), /^2026-10-25T00:00/);
  assert.match(await end('to').inputValue(), /^2026-10-26T00:00/);
});

law('Ctrl+K leads to a page, a value and a text', async (daybook, visit) => {
  await daybook.recordMany(some(20));
  const page = await visit('/');
  await page.getByRole('heading', { name: 'Dashboard' }).waitFor();
  const palette = page.getByRole('combobox', { name: 'Go to, or look for' });
  const choose = async (text, name) => {
    await page.keyboard.press('Control+k');
    await palette.fill(text);
    await page.locator('#choices').getByRole('option', { name }).first().waitFor();
    while ((await page.locator('#choices [aria-selected=true]').textContent()).replace(/\s+/g, ' ').trim().startsWith(name) === false) {
      await page.keyboard.press('ArrowDown');
    }
    await page.keyboard.press('Enter');
    await palette.waitFor({ state: 'hidden' });
  };
  await choose('settings', 'Settings');
  await page.waitForURL(/\/settings$/);
  await choose('door', 'door.opened');
  await page.waitForURL(/action=door.opened/);
  await choose('many', 'Messages with');
  await page.waitForURL(/q=many/);
  await page.keyboard.press('Control+k');
  await palette.waitFor();
  await page.keyboard.press('Escape');
  await palette.waitFor({ state: 'hidden' });
});

law('single letters do nothing when they are switched off, and everything else goes on', async (daybook, visit) => {
  await daybook.recordMany(some(5));
  const page = await visit('/activity');
  await isLive(page);
  await page.getByRole('button', { name: 'Keys' }).click();
  await page.getByLabel('Single letters as keys').uncheck();
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.keyboard.press('/');
  await page.keyboard.press('?');
  assert.notEqual(await page.evaluate(() => document.activeElement.type), 'search');
  assert.equal(await page.getByRole('dialog', { name: 'Keys' }).count(), 0);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to, or look for' }).waitFor();
});

law('new entries are announced as a number, at most every ten seconds', async (daybook, visit) => {
  await daybook.recordMany(some(3));
  const page = await visit('/', {});
  await page.clock.install();
  await page.goto('/activity');
  await rows(page).first().waitFor();
  await page.clock.fastForward(200);
  await isLive(page);
  const told = () => page.locator('live-entries [aria-live=polite]').textContent();
  await page.clock.fastForward(10_000);
  await daybook.recordMany(some(7));
  await until('they are shown', async () => {
    await page.clock.fastForward(150);
    return (await rows(page).count()) >= 10;
  });
  assert.equal(await told(), '');
  await page.clock.fastForward(10_000);
  await until('they are told', async () => (await told()) === '7 new entries');
  await daybook.recordMany(some(2));
  await until('they are shown', async () => {
    await page.clock.fastForward(150);
    return (await rows(page).count()) >= 12;
  });
  assert.equal(await told(), '7 new entries');
});

law('on a phone everything is large enough to be touched, and filters are in a sheet', async (daybook, visit) => {
  await daybook.recordMany(some(30));
  const [{ entry: one }] = await daybook.all('severity=error');
  const page = await visit('/activity', { viewport: { width: 390, height: 844 }, hasTouch: true });
  await isLive(page);
  const small = () => page.evaluate(() => [...document.querySelectorAll('button, a[href], select, summary, input:not([type=checkbox], [type=radio])')]
    .filter((one) => one.checkVisibility() && !one.closest('.unseen, .skip') && one.getBoundingClientRect().width > 0)
    .filter((one) => Math.round(one.getBoundingClientRect().height) < 44)
    .map((one) => `${one.tagName} ${one.textContent.trim().slice(0, 30)} ${Math.round(one.getBoundingClientRect().height)}`));
  for (const path of ['/', '/activity', `/activity?severity=error&entry=${one.id}`, '/settings', '/entity/task/t-1']) {
    await page.goto(path);
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
    await page.waitForLoadState('networkidle');
    assert.deepEqual(await small(), [], path);
  }
  await page.goto('/activity');
  const sheet = page.getByRole('complementary', { name: 'Filters' });
  assert.equal(await sheet.isVisible(), false);
  await page.getByRole('button', { name: /^Filters/ }).click();
  await sheet.getByRole('button', { name: /^error/ }).click();
  assert.deepEqual(await small(), []);
  await sheet.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('button', { name: 'Filters (1)' }).waitFor();
  await until('the list is what is sought', async () => (await rows(page).count()) === (await daybook.all('severity=error')).length);
});

law('who asks for less motion gets none', async (daybook, visit) => {
  await daybook.recordMany(some(3));
  const page = await visit('/activity', { reducedMotion: 'reduce' });
  await isLive(page);
  const moves = await page.evaluate(() => [...document.querySelectorAll('*')].filter((one) => {
    const style = getComputedStyle(one);
    return parseFloat(style.transitionDuration) > 0 || (style.animationName !== 'none' && parseFloat(style.animationDuration) > 0);
  }).map((one) => one.tagName));
  assert.deepEqual(moves, []);
});

law('a book with nothing but what the daemon says of itself greets with lines that record, run as they are shown', async (daybook, visit) => {
  const page = await visit('/activity');
  const greeting = page.getByRole('heading', { name: 'The book is open, and empty' });
  await greeting.waitFor();
  await isLive(page);
  const line = await page.locator('first-run copy-text code').first().textContent();
  await promisify(execFile)('sh', ['-c', line]);
  await rows(page).first().filter({ hasText: 'The front door was opened' }).waitFor();
  await greeting.waitFor({ state: 'detached' });
  // With a key the line needs one, which stands in the environment. Nobody is let in without any more.
  page.visitor.maySignIn = true;
  const key = await daybook.key('anna', 'write,read', 'new');
  const other = await visit('/activity', { key });
  const second = await other.locator('first-run copy-text code').first().textContent();
  await promisify(execFile)('sh', ['-c', second], { env: { ...process.env, DAYBOOK_KEY: key } });
  await rows(other).first().filter({ hasText: 'The front door was opened' }).waitFor();
});
