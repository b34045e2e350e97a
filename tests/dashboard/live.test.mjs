// The list as entries come: at once, honestly paused, and whole after the daemon was away.

import assert from 'node:assert/strict';
import { entry, firstInSight, isLive, law, list, numberIn, pour, rows, scrolledThrough, shown, some, until, usesBrowser } from './harness.mjs';

usesBrowser();

law('an entry that is recorded elsewhere appears at the top at once', async (daybook, visit) => {
  const page = await visit('/activity');
  await isLive(page);
  await daybook.record(entry({ message: 'The front door was opened' }));
  await rows(page).first().filter({ hasText: 'The front door was opened' }).waitFor({ timeout: 2000 });
});

law('an empty answer becomes a list with the first entry that fits, and only with those that fit', async (daybook, visit) => {
  const page = await visit('/activity?severity=error');
  await page.getByText('No entry with severity error').waitFor();
  await isLive(page);
  await daybook.record(entry({ message: 'This one does not fit' }));
  await daybook.record(entry({ severity: 'error', message: 'This one fits' }));
  await rows(page).first().filter({ hasText: 'This one fits' }).waitFor();
  assert.equal(await rows(page).count(), 1);
});

law('while one reads further down, 500 entries a second move nothing, and the pill counts what came', async (daybook, visit) => {
  await daybook.recordMany(some(500));
  const page = await visit('/activity?action=task.*');
  await isLive(page);
  await list(page).hover();
  await page.mouse.wheel(0, 700);
  const pill = page.getByRole('button', { name: /new entr/ });
  await until('it is scrolled', () => list(page).evaluate((box) => box.scrollTop > 600));
  // The list tells that it moved in the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const held = await firstInSight(page);
  const flood = pour(daybook, 500);
  const end = Date.now() + 8000;
  while (Date.now() < end) {
    assert.equal(await firstInSight(page), held, 'the first row in sight changed');
    await new Promise((done) => setTimeout(done, 100));
  }
  const came = await flood.stop();
  assert.ok(came > 2500, `${came} were recorded`);
  await until('the pill has counted all', async () => numberIn(await pill.textContent()) === came);
  assert.equal(await firstInSight(page), held);
  await pill.click();
  await pill.waitFor({ state: 'detached' });
  const [newest] = (await daybook.get('/activity?action=task.*&limit=1')).seqs;
  await until('the newest is on top', async () => (await shown(page))[0] === newest);
  await daybook.record(entry({ message: 'After the pause' }));
  await rows(page).first().filter({ hasText: 'After the pause' }).waitFor();
});

law('Pause says that it is pressed, holds what comes, and End goes back to live', async (daybook, visit) => {
  await daybook.recordMany(some(100));
  const page = await visit('/activity');
  await isLive(page);
  const pause = page.getByRole('button', { name: /^(Pause|Go on)$/ });
  assert.equal(await pause.getAttribute('aria-pressed'), 'false');
  const [top] = await shown(page);
  await pause.click();
  assert.equal(await pause.getAttribute('aria-pressed'), 'true');
  await daybook.recordMany(some(12));
  await page.getByRole('button', { name: '12 new entries' }).waitFor();
  assert.equal((await shown(page))[0], top);
  await rows(page).first().focus();
  await page.keyboard.press('End');
  await until('the twelve are shown', async () => (await shown(page))[0] === top + 12);
  assert.equal(await pause.getAttribute('aria-pressed'), 'false');
});

law('after the daemon was away and 5,000 entries were recorded, the list is what GET says, none twice', async (daybook, visit) => {
  await daybook.recordMany(some(300));
  const page = await visit('/activity');
  await isLive(page);
  page.visitor.daemonMayBeAway = true;
  await daybook.stop();
  await page.getByText('Not connected; trying again…').waitFor({ timeout: 2000 });
  const { address } = daybook;
  // Where the page does not look for it.
  await daybook.run(0);
  await daybook.recordMany(some(5000));
  await daybook.stop();
  daybook.address = address;
  await daybook.startAgain();
  await isLive(page);
  const expected = (await daybook.all()).map(({ entry }) => entry.id);
  await until('the newest is on top', async () => (await rows(page).first().getAttribute('data-id')) === expected[0]);
  assert.deepEqual(await scrolledThrough(page), expected);
}, { timeout: 90_000 });

law('a thousand entries of one microsecond are each there once, while others go on being recorded', async (daybook, visit) => {
  await daybook.recordMany(some(1000));
  const stamps = new Set((await daybook.all('q=of many')).map(({ entry }) => entry.ts));
  assert.equal(stamps.size, 1);
  const page = await visit('/activity?q=of+many');
  await isLive(page);
  const others = pour(daybook, 50);
  const seen = await scrolledThrough(page);
  await others.stop();
  assert.deepEqual(seen, (await daybook.all('q=of many')).map(({ entry }) => entry.id));
});
