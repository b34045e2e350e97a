// What an entry says is text, whoever wrote it.

import assert from 'node:assert/strict';
import { law, rows, usesBrowser } from './harness.mjs';

usesBrowser();

const MARKUP = '"\'><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>${7*7}{{7*7}}';

law('an entry with markup in every field is shown as text and runs nothing, wherever it is shown', async (daybook, visit) => {
  await daybook.record({
    category: 'entity', action: 'task.created', message: MARKUP, actor: `user:${MARKUP}`, entity_type: 'task',
    entity_id: MARKUP, entity_name: MARKUP, metadata: { [MARKUP]: MARKUP },
  });
  const [{ entry }] = await daybook.all('action=task.created');
  const paths = [
    '/', '/activity', `/activity?entry=${entry.id}`, `/activity?q=${encodeURIComponent(MARKUP)}`,
    `/activity?actor=${encodeURIComponent(MARKUP)}`, `/entity/task/${encodeURIComponent(MARKUP)}`, '/settings',
  ];
  for (const path of paths) {
    const page = await visit(path);
    await page.getByRole('heading', { level: 1 }).first().waitFor({ state: 'attached' });
    if (path === '/activity' || path.includes('entry=')) {
      await rows(page).first().waitFor();
      assert.ok((await page.getByRole('main').textContent()).includes(entry.message), path);
    }
    assert.equal(await page.evaluate(() => window.pwned), undefined, path);
    const foreign = 'img[src="x"], main script, main [onerror]';
    assert.equal(await page.locator(foreign).count(), 0, path);
  }
});
