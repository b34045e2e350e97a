// Slow links, failing parts, floods: the page says what happened and goes on.

import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { entry, isLive, law, list, pour, rows, scrolledThrough, some, until, usesBrowser } from './harness.mjs';

usesBrowser();

const LONG = process.env.LONG === '1';

law('over a slow link it is the same list, later', async (daybook, visit) => {
  await daybook.recordMany(some(250));
  const page = await visit('/settings');
  const link = await page.visitor.context.newCDPSession(page);
  await link.send('Network.enable');
  await link.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 20_000 });
  await page.goto('/activity', { timeout: 60_000 });
  await page.getByText('Live', { exact: true }).waitFor({ timeout: 60_000 });
  await daybook.record(entry({ message: 'Through a thin wire' }));
  await rows(page).first().filter({ hasText: 'Through a thin wire' }).waitFor({ timeout: 20_000 });
  assert.deepEqual(await scrolledThrough(page), (await daybook.all()).map(({ entry: one }) => one.id));
}, { timeout: 150_000 });

/** What stands between the page and the daemon, and can be cut. */
async function wire(daybook) {
  const { port } = new URL(daybook.address);
  const ends = new Set();
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    for (const end of [near, far]) {
      ends.add(end);
      end.on('error', () => {});
      end.on('close', () => { near.destroy(); far.destroy(); });
    }
    near.pipe(far).pipe(near);
  });
  const listen = (at) => new Promise((done) => server.listen(at, '127.0.0.1', done));
  await listen(0);
  const { port: own } = server.address();
  return {
    address: `http://127.0.0.1:${own}`,
    cut: () => new Promise((done) => {
      server.close(done);
      for (const end of ends) end.destroy();
    }),
    mend: () => listen(own),
  };
}

law('a restore shows the restored book, and goes on live in it', async (daybook, visit) => {
  await daybook.recordMany(some(30));
  const { name } = JSON.parse(await daybook.ask('POST', '/backups'));
  await daybook.record(entry({ message: 'After the backup' }));
  const page = await visit('/activity');
  await isLive(page);
  const gone = rows(page).filter({ hasText: 'After the backup' });
  await gone.waitFor();
  // The session is ended for it.
  page.visitor.daemonMayBeAway = true;
  await daybook.ask('POST', `/backups/${name}/restore`);
  await gone.waitFor({ state: 'detached' });
  await isLive(page);
  await daybook.record(entry({ message: 'In the restored book' }));
  await rows(page).first().filter({ hasText: 'In the restored book' }).waitFor();
  assert.deepEqual(await scrolledThrough(page), (await daybook.all()).map(({ entry: one }) => one.id));
});

law('a network that goes and comes back leaves no gap', async (daybook, visit) => {
  await daybook.recordMany(some(20));
  const { address } = daybook;
  const between = await wire(daybook);
  daybook.address = between.address;
  const page = await visit('/activity');
  daybook.address = address;
  await isLive(page);
  page.visitor.daemonMayBeAway = true;
  await between.cut();
  await page.getByText('Not connected; trying again…').waitFor({ timeout: 2000 });
  await daybook.recordMany(some(400));
  assert.equal((await rows(page).count()) > 0, true, 'what was loaded stays');
  await between.mend();
  await isLive(page);
  const expected = (await daybook.all()).map(({ entry: one }) => one.id);
  await until('the newest is on top', async () => (await rows(page).first().getAttribute('data-id')) === expected[0], 30_000);
  assert.deepEqual(await scrolledThrough(page), expected);
  await between.cut();
});

law('beyond what is replayed the page goes on by pages, and none is missing or twice', async (daybook, visit) => {
  await daybook.recordMany(some(50));
  const page = await visit('/activity');
  await isLive(page);
  page.visitor.daemonMayBeAway = true;
  await daybook.stop();
  const { address } = daybook;
  await daybook.run(0);
  await daybook.recordMany(some(900));
  await daybook.stop();
  daybook.address = address;
  await daybook.startAgain();
  await isLive(page);
  const expected = (await daybook.all()).map(({ entry: one }) => one.id);
  await until('the newest is on top', async () => (await rows(page).first().getAttribute('data-id')) === expected[0]);
  assert.deepEqual(await scrolledThrough(page), expected);
}, { config: '[live]\nreplay_limit = 100\n', timeout: 90_000 });

law('a widget that fails says so in its card, and the others live', async (daybook, visit) => {
  await daybook.recordMany(some(20));
  const page = await visit('/settings');
  await page.route('**/api/v1/activity/facets*', (route) => route.fulfill({ json: { facets: null } }));
  await page.goto('/');
  await page.getByRole('region', { name: 'Busiest actors' }).getByText('This widget failed').waitFor();
  const card = page.getByRole('region', { name: 'Recent activity' });
  await card.getByText('Live', { exact: true }).waitFor();
  await daybook.record(entry({ message: 'The others live' }));
  await rows(card).first().filter({ hasText: 'The others live' }).waitFor();
  await page.unroute('**/api/v1/activity/facets*');
  await page.getByRole('region', { name: 'Busiest actors' }).getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('region', { name: 'Busiest actors' }).getByText('user:a').waitFor();
});

law('what cannot be loaded says why, and is tried again', async (daybook, visit) => {
  await daybook.recordMany(some(5));
  const page = await visit('/settings');
  page.visitor.problems.push = () => 0;
  const problem = { type: 'about:blank', title: 'Too busy', status: 503, detail: 'the reader is busy' };
  await page.route('**/api/v1/activity?*', (route) => route.fulfill({ status: 503, contentType: 'application/problem+json', json: problem }));
  await page.goto('/activity');
  const told = page.getByRole('alert').filter({ hasText: 'the reader is busy' });
  await told.waitFor();
  await page.unroute('**/api/v1/activity?*');
  await told.getByRole('button', { name: 'Try again' }).click();
  await rows(page).first().waitFor();
});

law('with 10,000 rows and 500 entries a second no frame is long, and neither the page nor its memory grows', async (daybook, visit) => {
  for (let i = 0; i < 20; i += 1) await daybook.recordMany(some(500));
  const page = await visit('/activity');
  await isLive(page);
  // Down to the oldest, so that all are loaded.
  await until('all are loaded', async () => {
    await list(page).evaluate((box) => { box.scrollTop = box.scrollHeight; });
    return page.getByText('down to the oldest').isVisible();
  }, 60_000);
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Go on' }).click();
  await list(page).evaluate((box) => { box.scrollTop = 0; });
  const devtools = await page.visitor.context.newCDPSession(page);
  const heap = async () => {
    await devtools.send('HeapProfiler.collectGarbage');
    return (await devtools.send('Runtime.getHeapUsage')).usedSize / 1e6;
  };
  await page.evaluate(() => {
    window.frames_ = [];
    window.tasks_ = [];
    new PerformanceObserver((seen) => window.tasks_.push(...seen.getEntries().map((one) => one.duration))).observe({ entryTypes: ['longtask'] });
    let last = performance.now();
    const look = (now) => {
      window.frames_.push(now - last);
      last = now;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  const flood = pour(daybook, 500);
  const seconds = LONG ? 60 : 10;
  const settle = Date.now() + 3000;
  await until('it has settled', () => Date.now() > settle);
  const before = await heap();
  const [first] = await page.evaluate(() => [window.frames_.splice(0), window.tasks_.splice(0)]);
  const end = Date.now() + seconds * 1000;
  await until('it has gone on', () => Date.now() > end, seconds * 1000 + 5000);
  const { frames, tasks, nodes } = await page.evaluate(() => ({
    frames: window.frames_, tasks: window.tasks_, nodes: document.querySelectorAll('*').length,
  }));
  const came = await flood.stop();
  const after = await heap();
  const longest = Math.max(...frames);
  const figures = `${came} came, ${frames.length} frames, the longest ${longest.toFixed(1)} ms, ${tasks.length} long tasks, ${nodes} elements, ${before.toFixed(1)} to ${after.toFixed(1)} MB`;
  console.log(`# ${figures}`);
  assert.ok(first.length > 0 && came > 400 * seconds, figures);
  assert.ok(nodes < 2000, figures);
  assert.ok(after < before * 1.5 + 4, figures);
  // How long frames take is a promise of the page on a machine that does nothing else; here it must only not be stuck.
  assert.ok(longest < (LONG ? 100 : 500), figures);
}, { config: '[retention]\nmax_entries = 0\n', timeout: 200_000 });

law('the first view is there soon, and nothing jumps', async (daybook, visit) => {
  await daybook.recordMany(some(300));
  const page = await visit('/activity');
  await isLive(page);
  const looks = [];
  for (let i = 0; i < 5; i += 1) {
    await page.goto('/activity');
    await rows(page).first().waitFor();
    looks.push(await page.evaluate(() => new Promise((done) => {
      const told = {};
      new PerformanceObserver((seen) => { told.lcp = seen.getEntries().at(-1).startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
      new PerformanceObserver((seen) => { told.cls = seen.getEntries().reduce((sum, one) => sum + one.value, told.cls ?? 0); })
        .observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => done(told), 300);
    })));
  }
  const median = (name) => looks.map((one) => one[name] ?? 0).sort((a, b) => a - b)[2];
  const figures = `largest paint after ${median('lcp').toFixed(0)} ms, shift ${median('cls').toFixed(4)}`;
  console.log(`# ${figures}`);
  assert.ok(median('lcp') > 0 && median('lcp') < (LONG ? 300 : 2000), figures);
  assert.ok(median('cls') <= 0.02, figures);
});
