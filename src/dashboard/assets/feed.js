// The entries of one filter, the newest first: what is loaded, what has come since, and what is still to be looked for.

import { batch, signal } from './element.js';
import { get, Problem } from './api.js';
import { query } from './filters.js';
import { Link } from './live.js';

/** Loaded at once at most; what is older is asked for again. */
const MOST = 10_000;
const PAGE = 100;
/** A search answers after a bounded stretch; so many stretches are looked through before somebody is asked. */
const STRETCHES = 20;

export class Feed {
  rows = signal([]);
  /** What came while one was reading, and is not shown yet. */
  fresh = signal(0);
  /** `loading`, `ready` or `failed`. */
  state = signal('loading');
  problem = signal(null);
  /** Where older ones begin; null when there are none. */
  before = signal(null);
  looking = signal(false);
  /** So many could not be shown one by one. */
  skipped = signal(0);
  #held = false;
  #waiting = [];
  #overflown = false;
  #cut = new AbortController();
  #gone = false;

  constructor(filters) {
    this.filters = filters;
    // What ends in the past has no more to come.
    this.goesOn = !filters.until;
    this.link = new Link(filters, {
      entries: (entries) => this.#came(entries),
      lagged: (missed, after) => this.#missed(missed, after),
      epoch: () => this.load(),
      refused: () => get('/activity/count').catch(() => {}),
    });
    this.load();
  }

  end() {
    this.#gone = true;
    this.#cut.abort();
    this.link.stop();
  }

  async load() {
    this.#cut.abort();
    this.#cut = new AbortController();
    const cut = this.#cut.signal;
    this.link.stop();
    this.#waiting = [];
    this.#overflown = false;
    batch(() => {
      this.state.value = 'loading';
      this.problem.value = null;
      this.fresh.value = 0;
    });
    try {
      const { rows, page } = await this.#look(null, PAGE, cut);
      if (cut.aborted) return;
      batch(() => {
        this.rows.value = rows;
        this.before.value = page.next_before_seq;
        this.state.value = 'ready';
      });
      if (this.goesOn) this.link.start(page.first.newest_seq ?? 0, page.epoch);
    } catch (problem) {
      this.#failed(problem, cut);
    }
  }

  async older() {
    if (this.looking.value || this.before.value === null || this.state.value !== 'ready') return;
    this.looking.value = true;
    const cut = this.#cut.signal;
    try {
      const { rows, page } = await this.#look(this.before.value, PAGE * 2, cut);
      if (cut.aborted) return;
      batch(() => {
        this.rows.value = [...this.rows.value, ...rows];
        this.before.value = page.next_before_seq;
      });
    } catch (problem) {
      if (problem.name !== 'AbortError') this.problem.value = problem;
    } finally {
      this.looking.value = false;
    }
  }

  /** Goes on until there are some, or the end, or it took long. */
  async #look(before, limit, cut) {
    const rows = [];
    let first;
    let page;
    for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
      const asked = query(this.filters, { limit, before_seq: before });
      page = await get(`/activity?${asked}`, cut);
      first ??= page;
      page.items.forEach((entry, i) => rows.push({ seq: page.seqs[i], entry }));
      before = page.next_before_seq;
      if (before === null || rows.length >= limit / 2) break;
    }
    return { rows, page: { ...page, first } };
  }

  /** While one reads, nothing moves. */
  hold(held) {
    this.#held = held;
    if (!held && this.fresh.value) this.show();
  }

  show() {
    this.#held = false;
    if (this.#overflown) {
      this.load();
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    batch(() => {
      this.fresh.value = 0;
      this.#prepend(waiting);
    });
  }

  #came(entries) {
    if (this.#gone) return;
    if (!this.#held) {
      this.#prepend(entries);
      return;
    }
    this.fresh.value += entries.length;
    if (this.#overflown) return;
    this.#waiting.push(...entries);
    if (this.#waiting.length > MOST) {
      this.#overflown = true;
      this.#waiting = [];
    }
  }

  #prepend(entries) {
    if (!entries.length) return;
    let rows = [...entries.toReversed(), ...this.rows.value];
    if (rows.length > MOST) {
      rows = rows.slice(0, MOST);
      this.before.value = rows[MOST - 1].seq;
    }
    this.rows.value = rows;
  }

  /** The link was too far behind: what is between is read as pages. */
  async #missed(missed, after) {
    if (missed > MOST / 2) {
      this.skipped.value = missed;
      this.load();
      return;
    }
    const cut = this.#cut.signal;
    this.link.stop();
    try {
      let next = after;
      let last = after;
      let epoch;
      while (next !== null) {
        const page = await get(`/activity?${query(this.filters, { limit: 500, after_seq: next })}`, cut);
        const entries = page.items.map((entry, i) => ({ seq: page.seqs[i], entry }));
        this.#came(entries);
        last = page.next_after_seq ?? entries.at(-1)?.seq ?? last;
        next = page.next_after_seq;
        epoch = page.epoch;
      }
      this.link.start(last, epoch);
    } catch (problem) {
      this.#failed(problem, cut);
    }
  }

  #failed(problem, cut) {
    if (cut.aborted || problem.name === 'AbortError') return;
    batch(() => {
      this.problem.value = problem instanceof Problem ? problem : new Problem(0);
      this.state.value = 'failed';
    });
    if (!(problem instanceof Problem)) throw problem;
  }
}
