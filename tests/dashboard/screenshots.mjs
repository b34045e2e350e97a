// Pictures of every page, light and dark, phone and desk, for whoever changes the page to look at. Run by hand:
//   DAYBOOK=target/debug/daybook node tests/dashboard/screenshots.mjs FOLDER

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Daybook, launch, some } from './harness.mjs';

const folder = resolve(process.argv[2] ?? 'pictures');
await mkdir(folder, { recursive: true });
const [full, empty, browser] = await Promise.all([Daybook.start(), Daybook.start(), launch()]);
try {
  for (let i = 0; i < 5; i += 1) {
    await full.recordMany(some(60));
    await new Promise((done) => setTimeout(done, 300));
  }
  const [{ entry }] = await full.all('severity=error');
  for (const name of ['Hall lamp', 'Printer']) {
    await full.ask('POST', '/devices', { body: JSON.stringify({ address: '127.0.0.1', name, port: new URL(full.address).port * (name === 'Printer' ? 0 : 1) || 9 }) });
  }
  const pages = {
    dashboard: [full, '/'],
    activity: [full, '/activity'],
    filtered: [full, '/activity?severity=error,warning&actor=user:a&since=24h'],
    entry: [full, `/activity?entry=${entry.id}`],
    trail: [full, '/entity/task/t-1'],
    settings: [full, '/settings'],
    devices: [full, '/devices'],
    nothing: [full, '/activity?q=nothing+is+so'],
    first: [empty, '/activity'],
  };
  for (const colorScheme of ['light', 'dark']) {
    for (const width of [390, 1280]) {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: width < 500 ? 844 : 800 } });
      const page = await context.newPage();
      for (const [name, [daybook, path]] of Object.entries(pages)) {
        await page.goto(daybook.address + path);
        await page.waitForLoadState('networkidle');
        await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: name === 'settings' });
      }
      await page.goto(`${full.address}/activity`);
      await page.getByRole('grid').waitFor();
      await page.keyboard.press('?');
      await page.screenshot({ path: join(folder, `keys-${width}-${colorScheme}.png`) });
      await context.close();
    }
  }
} finally {
  await browser.close();
  await full.end();
  await empty.end();
}
