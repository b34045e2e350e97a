// The live list: the entries of one filter, new ones at the top, and an honest pause. The Activity tab and the widgets
// show the same.

import { Part, counted, html, nothing } from './element.js';
import { letIn } from './api.js';
import { USUAL } from './columns.js';
import { Feed } from './feed.js';
import { count, inWords } from './filters.js';
import { go } from './router.js';
import './entry-list.js';

const LINKS = {
  connecting: 'Connecting…',
  replaying: 'Catching up…',
  live: 'Live',
  waiting: 'Not connected; trying again…',
  off: 'Not live',
};

/** A screen reader hears of new entries at most so often. */
const SAID_EVERY = 10_000;

class LiveEntries extends Part {
  static properties = {
    filters: { attribute: false },
    chosen: { attribute: false },
    compact: { type: Boolean },
    columns: { attribute: false },
    paused: { state: true },
    said: { state: true },
  };

  #key;
  #away = false;
  #unsaid = 0;
  #timer;

  constructor() {
    super();
    this.filters = {};
    this.chosen = null;
    this.paused = false;
    this.said = '';
  }

  willUpdate() {
    const key = JSON.stringify(this.filters);
    if (key === this.#key) return;
    this.#key = key;
    this.feed?.end();
    this.feed = new Feed(this.filters);
    this.#away = false;
    this.list?.toTop();
    this.tell('feed', this.feed);
  }

  connectedCallback() {
    super.connectedCallback();
    // It was taken out of the page and is back.
    if (this.feed === null) this.#key = undefined;
    this.#timer = setInterval(() => this.#say(), SAID_EVERY);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    this.feed?.end();
    this.feed = null;
  }

  get list() {
    return this.querySelector('entry-list');
  }

  pause(paused = !this.paused) {
    this.paused = paused;
    this.#holdOrNot();
  }

  toNewest() {
    this.paused = false;
    this.#away = false;
    this.list?.toTop();
    this.feed.show();
  }

  #holdOrNot() {
    this.feed.hold(this.paused || this.#away);
  }

  #moved({ atTop }) {
    if (atTop === !this.#away) return;
    this.#away = !atTop;
    this.#holdOrNot();
  }

  #say() {
    const newest = this.feed?.rows.value[0]?.seq ?? 0;
    if (this.#unsaid && newest > this.#unsaid) {
      const more = this.feed.rows.value.findIndex(({ seq }) => seq <= this.#unsaid);
      this.said = counted(more < 0 ? this.feed.rows.value.length : more, 'new entry', 'new entries');
    }
    this.#unsaid = newest;
  }

  render() {
    const { feed } = this;
    if (!feed) return nothing;
    const link = feed.link.state.value;
    const rows = feed.rows.value;
    const fresh = feed.fresh.value;
    const state = feed.state.value;
    return html`
      <div class="live-bar">
        ${feed.goesOn
          ? html`<span class="link ${link}" role="status"><i aria-hidden="true"></i>${this.paused ? 'Paused' : LINKS[link]}</span>
            <button class="quiet" aria-pressed=${this.paused} @click=${() => this.pause()}>${this.paused ? 'Go on' : 'Pause'}</button>`
          : html`<span class="link off"><i aria-hidden="true"></i>A time that is over</span>`}
        ${feed.skipped.value
          ? html`<span class="note">${counted(feed.skipped.value, 'entry', 'entries')} came too fast to follow; these are the newest.</span>`
          : nothing}
        <span class="unseen" aria-live="polite">${this.said}</span>
      </div>
      ${fresh
        ? html`<button class="pill" @click=${this.toNewest}>↑ ${counted(fresh, 'new entry', 'new entries')}</button>`
        : nothing}
      ${state === 'failed' ? this.#failed() : nothing}
      ${this.#isNew(rows) ? html`<first-run></first-run>` : nothing}
      ${rows.length
        ? html`<entry-list .rows=${rows} .chosen=${this.chosen} .columns=${this.columns ?? USUAL.split(',')} .more=${feed.before.value !== null}
              .label=${'Entries, the newest first'}
              @moved=${(event) => this.#moved(event.detail)} @older=${() => feed.older()}
              @newest=${this.toNewest}></entry-list>
            ${this.compact ? nothing : this.#foot(rows.length)}`
        : state === 'ready' ? this.#nothing() : nothing}
      ${state === 'loading' && !rows.length ? html`<p class="empty" role="status">Loading…</p>` : nothing}`;
  }

  /** Nothing but what the daemon says of itself. */
  #isNew(rows) {
    const { feed } = this;
    if (this.compact || count(this.filters) || rows.length > 100 || feed.state.value !== 'ready' || feed.before.value !== null) return false;
    return rows.every(({ entry }) => entry.category === 'system' || entry.category === 'auth');
  }

  #foot(loaded) {
    const { feed } = this;
    const problem = feed.problem.value;
    return html`<p class="foot">
      ${counted(loaded, 'entry', 'entries')} loaded${feed.before.value === null ? ', down to the oldest' : ''}.
      ${problem && feed.state.value === 'ready' ? html`<span class="bad">${problem.message}</span>` : nothing}
      ${feed.before.value === null
        ? nothing
        : html`<button class="quiet" ?disabled=${feed.looking.value} @click=${() => feed.older()}>
            ${feed.looking.value ? 'Looking…' : 'Older ones'}</button>`}
    </p>`;
  }

  #failed() {
    const { message, isSilence } = this.feed.problem.value;
    return html`<div class="failure" role="alert">
      <strong>${isSilence ? 'The daemon cannot be reached' : 'This could not be loaded'}</strong>
      <p>${message}.</p>
      <button @click=${() => this.feed.load()}>Try again</button>
    </div>`;
  }

  #nothing() {
    const { feed } = this;
    if (feed.before.value !== null) {
      return html`<div class="empty"><strong>Nothing found so far</strong>
        <p>A part of the book has been looked through.</p>
        <button ?disabled=${feed.looking.value} @click=${() => feed.older()}>Look further back</button></div>`;
    }
    if (count(this.filters)) {
      return html`<div class="empty"><strong>No entry with ${inWords(this.filters)}</strong>
        <p>New ones appear here as they are recorded.</p>
        ${this.compact ? nothing : html`<button @click=${() => go(location.pathname)}>Clear the filters</button>`}</div>`;
    }
    return this.compact ? html`<div class="empty"><p>Nothing has been recorded yet.</p></div>` : nothing;
  }
}

customElements.define('live-entries', LiveEntries);

/** An empty book greets with the ways to get entries in. */
class FirstRun extends Part {
  render() {
    const line = `curl ${location.origin}/api/v1/activity${letIn()} -H 'Content-Type: application/json' \\
  -d '{"category":"entity","action":"door.opened","message":"The front door was opened"}'`;
    const many = `curl ${location.origin}/api/v1/activity${letIn()} -H 'Content-Type: application/x-ndjson' --data-binary @entries.ndjson`;
    return html`<section class="first">
      <h2>The book is open, and empty</h2>
      <p>Whatever is recorded appears here at once. Three ways to begin:</p>
      <ol>
        <li><strong>Send one entry</strong> from any shell. <copy-text .text=${line}></copy-text></li>
        <li><strong>Send many</strong>, one JSON object a line. <copy-text .text=${many}></copy-text></li>
        <li><strong>From your program</strong>, in any language that speaks HTTP: <a href="/api/docs">the API</a>.</li>
      </ol>
    </section>`;
  }
}

customElements.define('first-run', FirstRun);

/** A text for a shell, and a button that copies it. */
class CopyText extends Part {
  static properties = { text: {}, label: {}, done: { state: true } };

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.text);
      this.done = true;
      setTimeout(() => { this.done = false; }, 1500);
    } catch {
      getSelection().selectAllChildren(this.querySelector('code'));
    }
  }

  render() {
    return html`<pre tabindex="0"><code>${this.text}</code></pre>
      <button class="quiet" @click=${this.#copy}>${this.done ? 'Copied' : this.label ?? 'Copy'}</button>`;
  }
}

customElements.define('copy-text', CopyText);
