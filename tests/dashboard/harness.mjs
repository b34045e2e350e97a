// The real daemon with a book of its own, and a real browser that tells when the page did something wrong.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const PROGRAM = process.env.DAYBOOK;
const PATIENCE = 10_000;
const FLAGS = [
  '--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--no-first-run', '--disable-quic',
];

function browserProgram() {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = [process.env.CHROMIUM, ...names.flatMap((name) => folders.map((folder) => join(folder, name)))];
  const runs = (path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  const path = found.find((one) => one && existsSync(one) && runs(one));
  assert.ok(path, 'Chromium is not there; `make test-packages` installs it, or CHROMIUM names it');
  return path;
}

/** Until what it gives is true; that is what it returns. */
export async function until(what, condition, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `${what}: not within ${patience} ms`);
    await new Promise((done) => setTimeout(done, 25));
  }
}

export class Daybook {
  #child;
  #said = '';

  static async start(config = '') {
    const daybook = new Daybook();
    daybook.folder = await mkdtemp(join(tmpdir(), 'daybook-page-'));
    daybook.config = config;
    await daybook.run(0);
    return daybook;
  }

  async run(port) {
    assert.ok(PROGRAM, 'DAYBOOK names the program');
    const text = `[server]\nlisten = "127.0.0.1:${port}"\n[storage]\nurl = "sqlite://book.db"\n${this.config}`;
    await writeFile(join(this.folder, 'daybook.toml'), text);
    this.#said = '';
    const ours = ([name]) => !name.startsWith('DAYBOOK_') && name !== 'JOURNAL_STREAM';
    const env = Object.fromEntries(Object.entries(process.env).filter(ours));
    this.#child = spawn(PROGRAM, ['serve'], { cwd: this.folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr.on('data', (text) => { this.#said += text; });
    const ready = () => {
      assert.equal(this.#child.exitCode, null, this.#said);
      return /is ready: (http:\/\/[0-9.:]+)/.exec(this.#said);
    };
    [, this.address] = await until('the daemon is ready', ready, 30_000);
  }

  /** As a service manager stops it. */
  async stop() {
    const ended = new Promise((done) => this.#child.once('exit', done));
    this.#child.kill('SIGTERM');
    await ended;
  }

  startAgain() {
    return this.run(new URL(this.address).port);
  }

  async end() {
    if (this.#child.exitCode === null) await this.stop();
    await rm(this.folder, { recursive: true });
  }

  /** Through the running daemon, as whoever runs it would. */
  async command(...words) {
    const { stdout } = await promisify(execFile)(PROGRAM, words, { cwd: this.folder });
    return stdout.trim();
  }

  /** The first one ends that everybody is let in, so it is an operator's and used from then on. */
  async key(label, scope, workspace) {
    const make = (...of) => this.command('key', 'add', '--label', of[0], '--scope', of[1], '--workspace', of[2]);
    this.operator ??= await make('olga', 'write,read,admin', '*');
    return make(label, scope, workspace);
  }

  async ask(method, path, { body, type = 'application/json', headers = {}, key = this.operator } = {}) {
    if (key) headers = { ...headers, Authorization: `Bearer ${key}` };
    const answer = await fetch(`${this.address}/api/v1${path}`, {
      method, body, headers: body === undefined ? headers : { 'Content-Type': type, ...headers },
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  async get(path) {
    return JSON.parse(await this.ask('GET', path));
  }

  async record(entry, key) {
    return JSON.parse(await this.ask('POST', '/activity', { body: JSON.stringify(entry), key: key ?? this.operator }));
  }

  /** All in one request, so all of one microsecond. */
  async recordMany(entries) {
    const body = entries.map((entry) => JSON.stringify(entry)).join('\n');
    const told = JSON.parse(await this.ask('POST', '/activity', { body, type: 'application/x-ndjson' }));
    assert.deepEqual([told.accepted, told.rejected], [entries.length, []]);
    return told;
  }

  /** Every entry of a filter, the newest first, with its number. */
  async all(query = '') {
    const found = [];
    for (let beforeSeq = ''; beforeSeq !== null;) {
      const asked = new URLSearchParams(query);
      asked.set('limit', 500);
      if (beforeSeq) asked.set('before_seq', beforeSeq);
      const page = await this.get(`/activity?${asked}`);
      page.items.forEach((entry, i) => found.push({ seq: page.seqs[i], entry }));
      beforeSeq = page.next_before_seq;
    }
    return found;
  }
}

export const launch = () => chromium.launch({ executablePath: browserProgram(), args: FLAGS, headless: true });

let browser;

/** One browser for the file; each test has its own profile in it. */
export function usesBrowser() {
  before(async () => {
    browser = await launch();
  });
  after(() => browser.close());
}

/** Whoever is not signed in is told so, which browsers write down. */
const isToldToSignIn = (message) => /status of 401/.test(message.text());

class Visitor {
  problems = [];
  /** While the daemon is stopped, a browser writes down that it is. */
  daemonMayBeAway = false;
  maySignIn = false;
  /** What was asked of anybody but the daemon. */
  elsewhere = [];

  async enter(daybook, options) {
    this.host = daybook.address;
    this.context = await browser.newContext({ baseURL: daybook.address, locale: 'en-GB', timezoneId: 'UTC', ...options });
    this.context.setDefaultTimeout(PATIENCE);
  }

  async page(path) {
    const page = await this.context.newPage();
    page.on('pageerror', (error) => this.problems.push(`error: ${error.stack ?? error}`));
    const own = new URL(this.host).host;
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (!['data:', 'blob:'].includes(url.protocol) && url.host !== own) this.elsewhere.push(request.url());
    });
    page.on('dialog', (dialog) => {
      if (this.confirms?.test(dialog.message())) {
        dialog.accept();
        return;
      }
      this.problems.push(`a dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('console', (message) => {
      if (message.type() !== 'error' || (this.maySignIn && isToldToSignIn(message))) return;
      const isAway = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket connection/.test(message.text());
      if (isAway && this.daemonMayBeAway) return;
      this.problems.push(`${message.text()} (${message.location().url})`);
    });
    await page.goto(path);
    return page;
  }
}

/**
 * A law, tried on a daemon of its own. `work` gets the daemon and `visit(path, options)`, which opens the page in a
 * fresh profile. Whatever the page wrote as an error fails the law.
 */
export function law(sentence, work, { config, timeout = 60_000 } = {}) {
  test(sentence, { timeout }, async (t) => {
    const daybook = await Daybook.start(config);
    const visitors = [];
    const visit = async (path, { key, confirms, ...options } = {}) => {
      const visitor = new Visitor();
      visitors.push(visitor);
      visitor.confirms = confirms;
      visitor.maySignIn = key !== undefined;
      await visitor.enter(daybook, options);
      const page = await visitor.page(path);
      page.visitor = visitor;
      if (key) await signIn(page, key);
      return page;
    };
    try {
      await work(daybook, visit, t);
      assert.deepEqual(visitors.flatMap((visitor) => visitor.problems), []);
      assert.deepEqual(visitors.flatMap((visitor) => visitor.elsewhere), []);
    } finally {
      for (const visitor of visitors) await visitor.context.close();
      await daybook.end();
    }
  });
}

export async function signIn(page, key) {
  await page.getByLabel('Your key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
}

// What one sees of the list.

export const list = (page) => page.getByRole('grid');
export const rows = (page) => list(page).locator('[data-id]');

/** The numbers of the rows in the page, from the top. */
export const shown = (page) => rows(page).evaluateAll((all) => all.map((row) => Number(row.dataset.seq)));

export const isLive = (page) => page.getByText('Live', { exact: true }).waitFor();

/** Of the first row that can be seen whole. */
export const firstInSight = (page) => list(page).evaluate((box) => {
  const { top } = box.getBoundingClientRect();
  const all = [...box.querySelectorAll('[data-id]')];
  return all.find((row) => row.getBoundingClientRect().top >= top - 1)?.dataset.id;
});

/** The number of every row, in order, as one finds them scrolling from the top to the oldest. */
export async function scrolledThrough(page, patience = 40_000) {
  await page.getByText('down to the oldest').or(list(page)).first().waitFor();
  await list(page).evaluate((box) => { box.scrollTop = 0; });
  const seen = await list(page).evaluate(async (box, patience) => {
    const found = new Map();
    const end = performance.now() + patience;
    const twice = [];
    for (;;) {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const here = [...box.querySelectorAll('[data-id]')];
      for (const row of here) {
        const at = Number(row.getAttribute('aria-rowindex'));
        if (found.has(at) && found.get(at) !== row.dataset.id) twice.push(at);
        found.set(at, row.dataset.id);
      }
      const isEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
      if (isEnd && document.body.textContent.includes('down to the oldest')) break;
      if (performance.now() > end) break;
      box.scrollTop += box.clientHeight * 0.8;
    }
    return { ids: [...found.entries()].sort(([a], [b]) => a - b).map(([, id]) => id), moved: twice };
  }, patience);
  assert.deepEqual(seen.moved, [], 'a row changed its place while one scrolled');
  return seen.ids;
}

export const entry = (more = {}) => ({ category: 'entity', action: 'task.created', message: 'A task was created', ...more });

/** A book in which every kind of filter finds something. */
export function some(count) {
  const severities = ['info', 'info', 'warning', 'error'];
  const actions = ['task.created', 'task.closed', 'door.opened'];
  return Array.from({ length: count }, (_, i) => ({
    category: ['entity', 'device', 'auth'][i % 3],
    action: actions[i % actions.length],
    severity: severities[i % severities.length],
    actor: `user:${'abc'[i % 3]}`,
    entity_type: 'task',
    entity_id: `t-${i % 5}`,
    message: `Entry ${i} of many`,
    metadata: { i },
  }));
}

/** Records so many a second until stopped; `stop` gives how many were recorded. */
export function pour(daybook, perSecond, more = {}) {
  let going = true;
  let recorded = 0;
  const began = Date.now();
  const work = (async () => {
    while (going) {
      const due = Math.floor(((Date.now() - began) / 1000) * perSecond) - recorded;
      if (due > 0) {
        await daybook.recordMany(Array.from({ length: due }, (_, i) => entry({ message: `Poured ${recorded + i}`, ...more })));
        recorded += due;
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  })();
  return {
    async stop() {
      going = false;
      await work;
      return recorded;
    },
  };
}

const NUMBERS = /[\d,]+/;
export const numberIn = (text) => Number(NUMBERS.exec(text)[0].replaceAll(',', ''));
