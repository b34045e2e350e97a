// What one sets stays set: retention, and one's own arrangement of widgets.

import assert from 'node:assert/strict';
import { entry, law, rows, some, until, usesBrowser } from './harness.mjs';

usesBrowser();

law('retention that is changed here holds, is recorded, and goes back to the file', async (daybook, visit) => {
  const page = await visit('/settings');
  const days = page.getByLabel(/^Days/);
  await days.waitFor();
  assert.equal(await days.inputValue(), '90');
  const save = page.getByRole('button', { name: 'Save' });
  assert.ok(await save.isDisabled(), 'nothing is changed yet');
  await days.fill('30');
  await save.click();
  await page.getByText('Saved.').waitFor();
  assert.equal((await daybook.get('/activity/settings')).max_days, 30);
  assert.ok(await save.isDisabled());
  const recorded = (await daybook.all('category=system')).map(({ entry }) => entry.action);
  assert.ok(recorded.includes('activity_log.settings_changed'), `${recorded}`);
  const other = await visit('/settings');
  await until('another browser shows it', async () => (await other.getByLabel(/^Days/).inputValue()) === '30');
  await page.getByRole('button', { name: 'Back to the file' }).click();
  await page.getByText('The file holds again.').waitFor();
  assert.equal((await daybook.get('/activity/settings')).max_days, 90);
  assert.equal(await days.inputValue(), '90');
});

law('retention that is changed elsewhere is shown at once, and what one is typing stays', async (daybook, visit) => {
  const page = await visit('/settings');
  await page.getByLabel(/^Days/).waitFor();
  await page.getByLabel(/^Entries/).fill('500');
  const other = await visit('/settings');
  await other.getByLabel(/^Days/).fill('30');
  await other.getByRole('button', { name: 'Save' }).click();
  await other.getByText('Saved.').waitFor();
  await until('the first browser shows it', async () => (await page.getByLabel(/^Days/).inputValue()) === '30');
  assert.equal(await page.getByLabel(/^Entries/).inputValue(), '500');
});

law('what is locked in the file cannot be changed here', async (daybook, visit) => {
  const page = await visit('/settings');
  await page.getByLabel(/^Days/).waitFor();
  assert.ok(await page.getByLabel(/^Days/).isDisabled());
  assert.equal(await page.getByLabel(/^Days/).inputValue(), '7');
  await page.getByText('locked by').first().waitFor();
}, { config: '[retention]\nmax_days = 7\nlocked = true\n' });

law('the book is cleared only by who types its name', async (daybook, visit) => {
  await daybook.recordMany(some(20));
  const page = await visit('/settings');
  const clear = page.getByRole('button', { name: 'Clear default' });
  await clear.waitFor();
  assert.ok(await clear.isDisabled());
  await page.getByLabel(/to confirm/).fill('defaul');
  assert.ok(await clear.isDisabled());
  await page.getByLabel(/to confirm/).fill('default');
  await clear.click();
  await page.getByText(/entries went/).waitFor();
  assert.equal((await daybook.all('category=auth')).length, 0);
});

law('widgets that are arranged here are so in another browser, and after a restart', async (daybook, visit) => {
  await daybook.recordMany(some(20));
  const page = await visit('/');
  const cards = (page) => page.locator('[data-widget]').evaluateAll((all) => all.map((one) => `${one.dataset.widget} ${one.style.gridArea}`).sort());
  await page.locator('[data-widget]').first().waitFor();
  const first = await cards(page);
  await page.getByRole('button', { name: 'Arrange' }).click();
  const saved = () => page.waitForResponse((answer) => answer.request().method() === 'PUT' && answer.ok());
  const name = await page.locator('[data-widget]').first().getByRole('heading').textContent();
  await Promise.all([saved(), page.getByRole('button', { name: `Remove: ${name}` }).click()]);
  const next = await page.locator('[data-widget]').first().getByRole('heading').textContent();
  await Promise.all([saved(), page.getByRole('button', { name: `Higher: ${next}` }).click()]);
  await page.getByRole('button', { name: 'Done' }).click();
  const arranged = await cards(page);
  assert.notDeepEqual(arranged, first);
  assert.equal(arranged.length, first.length - 1);
  const other = await visit('/');
  await other.locator('[data-widget]').first().waitFor();
  assert.deepEqual(await cards(other), arranged);
  for (const one of [page, other]) one.visitor.daemonMayBeAway = true;
  await daybook.stop();
  await daybook.startAgain();
  const again = await visit('/');
  await again.locator('[data-widget]').first().waitFor();
  assert.deepEqual(await cards(again), arranged);
});

law('Recent Activity is live, and leads into the tab', async (daybook, visit) => {
  const page = await visit('/');
  const card = page.getByRole('region', { name: 'Recent activity' });
  await card.getByText('Live', { exact: true }).waitFor();
  await daybook.record(entry({ message: 'Seen on the dashboard' }));
  await rows(card).first().filter({ hasText: 'Seen on the dashboard' }).waitFor();
  await card.getByRole('link', { name: 'In Activity' }).click();
  await page.waitForURL(/\/activity/);
  await rows(page).first().waitFor();
});
