// The devices: hidden while there are none, and what can be done to each, against a real listener.

import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { entry, isLive, law, rows, until, usesBrowser } from './harness.mjs';

usesBrowser();

const listening = (at = 0) => new Promise((done) => {
  const server = createServer((end) => end.end());
  server.unref();
  server.listen(at, '127.0.0.1', () => done(server));
});

const tab = (page) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Devices' });

law('devices are hidden while there are none, and shown with the first', async (daybook, visit) => {
  const page = await visit('/activity');
  await isLive(page);
  assert.equal(await tab(page).count(), 0);
  await page.goto('/devices');
  await page.getByText('No device is known yet').waitFor();
  const device = await listening();
  await page.getByLabel('Address').fill('127.0.0.1');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Hall lamp');
  await page.getByLabel('Port').fill(String(device.address().port));
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('Hall lamp was added.').waitFor();
  await page.goto('/');
  await tab(page).click();
  await page.getByRole('row', { name: /Hall lamp/ }).waitFor();
  device.close();
});

law('a device that is added by hand is checked, named, ignored and removed, and each is in its trail', async (daybook, visit) => {
  const device = await listening();
  const { port } = device.address();
  const added = JSON.parse(await daybook.ask('POST', '/devices', { body: JSON.stringify({
    address: '127.0.0.1', name: 'Hall lamp', port, check: { kind: 'tcp', port, interval_seconds: 1, timeout_seconds: 1, failures: 1 },
  }) }));
  const page = await visit('/devices', { confirms: /^Remove Ceiling/ });
  const row = (name) => page.getByRole('row', { name });
  await row(/Hall lamp.*online/).waitFor();
  await page.getByRole('button', { name: 'Check Hall lamp' }).click();
  await page.getByText(/Hall lamp answered in \d+ ms/).waitFor();
  await new Promise((done) => device.close(done));
  // It comes live, without anything being asked.
  await row(/Hall lamp.*offline/).waitFor({ timeout: 15_000 });
  const again = await listening(port);
  await row(/Hall lamp.*online/).waitFor({ timeout: 15_000 });
  await page.getByRole('button', { name: 'Rename Hall lamp' }).click();
  await page.getByLabel('Name of Hall lamp').fill('Ceiling <b>lamp</b>');
  await page.keyboard.press('Enter');
  await row(/Ceiling <b>lamp<\/b>/).waitFor();
  await page.getByRole('button', { name: /^Ignore Ceiling/ }).click();
  await row(/ignored/).waitFor();
  await page.getByRole('button', { name: /^Heed Ceiling/ }).click();
  await page.getByRole('link', { name: /^Ceiling/ }).click();
  await page.getByRole('heading', { name: new RegExp(`The trail of device ${added.id}`) }).waitFor();
  const actions = async () => (await daybook.all(`entity_type=device&entity_id=${added.id}`)).map(({ entry: one }) => one.action);
  await until('the trail has them', async () => (await rows(page).locator('.did').allTextContents()).join() === (await actions()).join());
  for (const action of ['device.added', 'device.offline', 'device.online', 'device.renamed', 'device.ignored']) {
    assert.ok((await actions()).includes(action), `${action} of ${await actions()}`);
  }
  await page.goto('/devices');
  await page.getByRole('button', { name: /^Remove Ceiling/ }).click();
  await page.getByText('No device is known yet').waitFor();
  assert.ok((await actions()).includes('device.removed'));
  again.close();
});

law('the widget counts who is online and names who is not', async (daybook, visit) => {
  const device = await listening();
  const { port } = device.address();
  for (const [name, at] of [['Here', port], ['Gone', 1]]) {
    await daybook.ask('POST', '/devices', { body: JSON.stringify({
      address: '127.0.0.1', name, port: at, check: { kind: 'tcp', port: at, interval_seconds: 1, timeout_seconds: 1, failures: 1 },
    }) });
  }
  await daybook.record(entry());
  const state = async () => (await daybook.get('/devices')).items.map((one) => `${one.name} ${one.state}`).sort().join();
  await until('both were checked', async () => (await state()) === 'Gone offline,Here online', 20_000);
  const page = await visit('/');
  const card = page.getByRole('region', { name: 'Devices' });
  await card.getByText('1 of 2 online').waitFor();
  await card.getByRole('link', { name: /Gone/ }).click();
  await page.getByRole('heading', { name: /The trail of device/ }).waitFor();
  device.close();
});
