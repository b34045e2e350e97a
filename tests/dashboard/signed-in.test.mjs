// Who may see what: signing in and out, keys of different workspaces, keys that end or lack a scope.

import assert from 'node:assert/strict';
import { entry, isLive, law, rows, signIn, until, usesBrowser } from './harness.mjs';

usesBrowser();

const said = (page) => rows(page).locator('.said').allTextContents();
const gate = (page) => page.getByLabel('Your key');

law('two browsers with keys of different workspaces see each their own, stored and live', async (daybook, visit) => {
  const keys = { a: await daybook.key('anna', 'write,read', 'a'), b: await daybook.key('ben', 'write,read', 'b') };
  for (const name of ['a', 'b']) await daybook.record(entry({ message: `stored in ${name}` }), keys[name]);
  const pages = { a: await visit('/activity', { key: keys.a }), b: await visit('/activity', { key: keys.b }) };
  for (const name of ['a', 'b']) {
    await isLive(pages[name]);
    assert.deepEqual(await said(pages[name]), [`stored in ${name}`]);
    assert.equal(await pages[name].getByRole('combobox', { name: 'Workspace' }).count(), 0);
  }
  for (const name of ['a', 'b']) await daybook.record(entry({ message: `live in ${name}` }), keys[name]);
  for (const name of ['a', 'b']) {
    await until('it comes live', async () => (await said(pages[name])).length === 2);
    assert.deepEqual(await said(pages[name]), [`live in ${name}`, `stored in ${name}`]);
    await pages[name].goto(`/activity?workspace_id=${name === 'a' ? 'b' : 'a'}`);
    await pages[name].getByText('This could not be loaded').waitFor();
    pages[name].visitor.problems = pages[name].visitor.problems.filter((problem) => !/status of 403/.test(problem));
  }
});

law('who shows a wrong key is told no more than that, and stays where he wanted to go when he shows the right one', async (daybook, visit) => {
  const key = await daybook.key('anna', 'read', 'default');
  const page = await visit('/activity?severity=error', { key: '' });
  await gate(page).fill('dbk_no_such');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').filter({ hasText: 'not in force' }).waitFor();
  await signIn(page, key);
  assert.match(page.url(), /severity=error/);
  const [cookie] = await page.visitor.context.cookies();
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
  assert.equal(await page.evaluate(() => document.cookie), '');
});

law('who signs out is out, in every tab and after a reload', async (daybook, visit) => {
  const key = await daybook.key('anna', 'read', 'default');
  const page = await visit('/activity', { key });
  await isLive(page);
  const other = await page.visitor.page('/activity');
  await isLive(other);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await gate(page).waitFor();
  await gate(other).waitFor();
  await page.goto('/activity');
  await gate(page).waitFor();
});

law('a key that is revoked ends what was signed in with it at once', async (daybook, visit) => {
  const key = await daybook.key('anna', 'read', 'default');
  const page = await visit('/activity', { key });
  await isLive(page);
  await daybook.command('key', 'revoke', 'anna');
  await gate(page).waitFor({ timeout: 5000 });
});

law('a sign-in survives a restart of the daemon', async (daybook, visit) => {
  const key = await daybook.key('anna', 'read', 'default');
  const page = await visit('/activity', { key });
  await isLive(page);
  page.visitor.daemonMayBeAway = true;
  await daybook.stop();
  await daybook.startAgain();
  await isLive(page);
  await page.reload();
  await isLive(page);
});

law('a key without a scope is told which one it lacks, and sees nothing else', async (daybook, visit) => {
  const writer = await visit('/activity', { key: await daybook.key('writer', 'write', 'a') });
  await writer.getByRole('heading', { name: 'This key may not see that' }).waitFor();
  await writer.getByText('--scope read').waitFor();
  const reader = await visit('/settings', { key: await daybook.key('reader', 'read', 'a') });
  await reader.getByRole('heading', { name: 'What is kept' }).waitFor();
  assert.deepEqual(await reader.locator('.panel h2').allTextContents(), ['What is kept']);
  assert.equal(await reader.getByRole('button', { name: 'Save' }).count(), 0);
  await reader.goto('/devices');
  await reader.getByRole('heading', { name: 'This key may not see that' }).waitFor();
});

law('an administrator makes a key that opens, rotates it, and revokes it', async (daybook, visit) => {
  const key = await daybook.key('chief', 'write,read,admin', 'a');
  const page = await visit('/settings', { key, confirms: /^Revoke robot/ });
  await page.getByText('Make a key').click();
  await page.getByLabel('Label').fill('robot');
  await page.getByRole('button', { name: 'Make', exact: true }).click();
  const made = (await page.locator('.made code').textContent()).trim();
  assert.match(made, /^dbk_[A-Za-z0-9]+_[A-Za-z0-9]+$/);
  await daybook.ask('GET', '/activity', { key: made });
  await page.getByRole('button', { name: 'Rotate robot' }).click();
  await until('the new one is shown', async () => (await page.locator('.made code').textContent()).trim() !== made);
  await page.getByRole('button', { name: 'Revoke robot' }).click();
  await page.locator('tr.revoked').waitFor();
  await assert.rejects(daybook.ask('GET', '/activity', { key: made }), /401/);
});

law('an operator looks into each workspace, and sets what each keeps', async (daybook, visit) => {
  const key = await daybook.key('anna', 'write,read', 'a');
  await daybook.record(entry({ message: 'of a' }), key);
  const page = await visit('/activity', { key: daybook.operator });
  await page.getByRole('combobox', { name: 'Workspace' }).selectOption('a');
  await rows(page).first().waitFor();
  assert.deepEqual(await said(page), ['of a']);
  await page.goto('/settings');
  await page.getByLabel('Of the workspace').selectOption('a');
  await page.getByRole('button', { name: 'Clear a' }).waitFor();
  await page.getByLabel(/^Days/).fill('7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal((await daybook.get('/activity/settings?workspace_id=a')).max_days, 7);
  assert.equal((await daybook.get('/activity/settings?workspace_id=default')).max_days, 90);
});
