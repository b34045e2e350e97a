// Everybody can use it: no violation that axe knows, nothing wider than a phone, in light and dark.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { law, rows, some, usesBrowser } from './harness.mjs';

usesBrowser();

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    law(`no page has a violation, or is wider than the window, ${colorScheme} at ${width}`, async (daybook, visit) => {
      await daybook.recordMany(some(200));
      const [{ entry }] = await daybook.all('severity=error');
      const paths = ['/', '/activity', `/activity?severity=error,warning&since=7d&entry=${entry.id}`, '/activity?q=nothing+is+so',
        '/entity/task/t-1', '/settings', '/devices'];
      const wrong = [];
      const page = await visit('/activity', { colorScheme, viewport: { width, height: 844 } });
      await page.visitor.context.addInitScript(AXE);
      for (const path of paths) {
        await page.goto(path);
        await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
        if (path === '/activity') await rows(page).first().waitFor();
        await page.waitForLoadState('networkidle').catch(() => {});
        const { violations } = await page.evaluate(() => window.axe.run(document));
        for (const { id, nodes } of violations) wrong.push(`${path}: ${id}: ${nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > width) wrong.push(`${path}: ${wide} pixels wide`);
      }
      assert.deepEqual(wrong, []);
    });
  }
}
