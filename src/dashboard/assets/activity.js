// The Activity tab, and the trail of one entity, which is the same with a filter that stays.

import { Part, asTyped, classes, counted, html, nothing, number } from './element.js';
import { fetched, get, isOperator } from './api.js';
import { FIELDS, NAMES, count, query, read, toggled, without } from './filters.js';
import { go, place, withParameters } from './router.js';
import { COLUMNS, USUAL, columns } from './columns.js';
import { fromField, isZone, letters, style, toField, zone } from './time.js';
import './live-entries.js';
import './histogram.js';
import './panel.js';

const RANGES = [['1h', 'Last hour'], ['24h', 'Last day'], ['7d', 'Last week'], ['30d', 'Last 30 days']];
const DIMENSIONS = ['severity', 'category', 'action', 'actor', 'entity_type'];
/** Numbers beside a list that moves are looked at anew at most so often. */
const RECKON_EVERY = 5000;
const TYPING = 250;

class ActivityPage extends Part {
  static properties = {
    /** An entity whose trail this is: its type and id. */
    entity: { attribute: false },
    facets: { state: true },
    histogram: { state: true },
    sheet: { state: true },
    chosen: { state: true },
    sending: { state: true },
    views: { state: true },
    workspaces: { state: true },
    showing: { state: true },
  };

  #asked;
  #cut = new AbortController();
  #timer;
  #typing;
  #stale = false;

  get filters() {
    const filters = read(place.value.params);
    return this.entity ? { ...filters, entity_type: [this.entity.type], entity_id: [this.entity.id] } : filters;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => this.#stale && !document.hidden && this.#reckon(), RECKON_EVERY);
    addEventListener('keydown', this.#key);
    if (!this.entity) this.#loadViews();
    if (isOperator()) this.#loadWorkspaces();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    removeEventListener('keydown', this.#key);
    this.#cut.abort();
  }

  willUpdate() {
    const { params } = place.value;
    const unsaid = {};
    if (!params.has('zone') && zone.value !== 'local') unsaid.zone = zone.value;
    if (!params.has('columns') && columns.value.join(',') !== USUAL) unsaid.columns = columns.value.join(',');
    if (Object.keys(unsaid).length) queueMicrotask(() => this.isConnected && go(withParameters(unsaid), { replace: true }));
    const asked = query(this.filters);
    if (asked === this.#asked) return;
    this.#asked = asked;
    this.chosen = null;
    // The list first: what is beside it can wait.
    setTimeout(() => this.#reckon(), 0);
  }

  async #reckon() {
    this.#cut.abort();
    this.#cut = new AbortController();
    const { signal } = this.#cut;
    this.#stale = false;
    const asked = query(this.filters);
    const quietly = (problem) => {
      if (problem.name !== 'AbortError') this.#stale = true;
      return undefined;
    };
    const [facets, histogram] = await Promise.all([
      get(`/activity/facets?${asked}`, signal).catch(quietly),
      get(`/activity/histogram?${asked}${asked ? '&' : ''}buckets=80`, signal).catch(quietly),
    ]);
    if (signal.aborted) return;
    this.facets = facets ?? this.facets;
    this.histogram = histogram ?? this.histogram;
  }

  async #loadViews() {
    this.views = await get('/views').then((list) => list.items, () => []);
  }

  async #loadWorkspaces() {
    this.workspaces = await get('/workspaces').then((list) => list.items.map((one) => one.name), () => []);
  }

  #set(filters, { replace = false } = {}) {
    const fixed = this.entity ? ['entity_type', 'entity_id'] : [];
    const changes = Object.fromEntries(FIELDS.map((field) => [field, null]));
    go(withParameters({ ...changes, ...without(filters, ...fixed), entry: null }), { replace });
  }

  get #live() {
    return this.querySelector('live-entries');
  }

  #key = (event) => {
    const types = event.target.closest?.('input, textarea, select, [contenteditable], dialog');
    if (event.key === 'Escape' && !types) {
      if (this.sheet) this.sheet = false;
      else if (place.value.params.get('entry')) this.#close();
      return;
    }
    if (types || event.ctrlKey || event.metaKey || event.altKey || letters.value === 'off') return;
    const list = this.querySelector('entry-list');
    const doings = {
      '/': () => this.querySelector('input[type=search]')?.focus(),
      j: () => list?.step(1),
      k: () => list?.step(-1),
      ' ': () => this.#live?.pause(),
    };
    // A button that has the focus keeps its own space bar.
    if (!doings[event.key] || (event.key === ' ' && event.target.closest?.('button, a, summary'))) return;
    event.preventDefault();
    doings[event.key]();
  };

  async #open(seq) {
    const row = this.#live.feed.rows.value.find((one) => one.seq === seq);
    if (!row) return;
    this.chosen = seq;
    go(withParameters({ entry: row.entry.id }), { replace: Boolean(place.value.params.get('entry')) });
    await new Promise(requestAnimationFrame);
    await this.updateComplete;
    const panel = this.querySelector('entry-panel');
    await panel?.updateComplete;
    panel?.focus();
  }

  #close() {
    const seq = this.chosen;
    go(withParameters({ entry: null }));
    this.updateComplete.then(() => this.querySelector(`[data-seq="${seq}"]`)?.focus());
  }

  #typed({ target }) {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => {
      const had = Boolean(this.filters.q);
      this.#set(target.value ? { ...this.filters, q: [target.value] } : without(this.filters, 'q'), { replace: had });
    }, TYPING);
  }

  /** From the search into what it found. */
  #fromSearch({ key, target }) {
    if (key === 'Escape') target.blur();
    else if (key === 'Enter' || key === 'ArrowDown') this.querySelector('entry-list')?.step(0);
  }

  render() {
    const { filters } = this;
    const entry = place.value.params.get('entry');
    const rows = this.#live?.feed?.rows.value ?? [];
    const known = entry && rows.find((row) => row.entry.id === entry);
    return html`
      ${this.entity
        ? html`<header class="trail"><a href="/activity">← Activity</a>
            <h1>The trail of <span class="kind">${this.entity.type}</span> ${this.entity.id}</h1></header>`
        : html`<h1 class="unseen">Activity</h1>`}
      <div class=${classes('activity', entry && 'with-panel')}>
        <aside class=${classes('filters', this.sheet && 'open')} aria-label="Filters">${this.#side(filters)}</aside>
        <section class="main" aria-label="Entries">
          ${this.#bar(filters)}
          <time-histogram .data=${this.histogram} brush @range=${(event) => this.#range(event.detail)}></time-histogram>
          ${this.#chips(filters)}
          <live-entries .filters=${filters} .columns=${columns.value} .chosen=${known ? known.seq : this.chosen}
            @open=${(event) => this.#open(event.detail)} @chosen=${(event) => { this.chosen = event.detail; }}
            @feed=${(event) => this.#watch(event.detail)}></live-entries>
        </section>
        ${entry
          ? html`<entry-panel role="complementary" aria-label="One entry" .entryId=${entry} .known=${known || null} .filters=${filters}
              @close=${this.#close} @filters=${(event) => this.#set(event.detail)}></entry-panel>`
          : nothing}
      </div>
      ${this.sending ? this.#progress() : nothing}`;
  }

  #watch(feed) {
    // What comes live changes the numbers beside the list.
    let length = 0;
    this.stopWatching?.();
    this.stopWatching = feed.rows.subscribe((rows) => {
      if (length && rows.length !== length) this.#stale = true;
      if (!length && rows.length) setTimeout(() => this.requestUpdate(), 0);
      length = rows.length;
    });
  }

  #bar(filters) {
    return html`<div class="bar">
      <label class="search"><span class="unseen">Search in messages</span>
        <input type="search" placeholder="Search in messages" maxlength="256" autocomplete="off" spellcheck="false"
          .value=${asTyped(filters.q?.[0] ?? '')} @input=${this.#typed} @keydown=${this.#fromSearch}></label>
      <label><span class="unseen">Time range</span>
        <select @change=${(event) => this.#quick(event.target.value)}>
          ${[['', 'All time'], ...RANGES, ['own', 'From … to …']].map(([value, name]) => html`
            <option value=${value} .selected=${value === rangeOf(filters)}>${name}</option>`)}
        </select></label>
      ${this.workspaces?.length > 1 ? html`<label><span class="unseen">Workspace</span>
        <select
          @change=${({ target }) => this.#set(target.value === 'default' ? without(filters, 'workspace_id') : { ...filters, workspace_id: [target.value] })}>
          ${[...this.workspaces, '*'].map((name) => html`<option value=${name} .selected=${name === (filters.workspace_id?.[0] ?? 'default')}>${name === '*' ? 'All workspaces' : name}</option>`)}
        </select></label>` : nothing}
      <button class="quiet only-small" aria-expanded=${Boolean(this.sheet)} @click=${() => { this.sheet = !this.sheet; }}>
        Filters${count(filters) ? ` (${count(filters)})` : ''}</button>
      <details class="menu"><summary>Export</summary>
        <div>${['csv', 'json', 'ndjson'].map((format) => html`<button class="quiet" @click=${(event) => this.#export(format, event)}>${format.toUpperCase()}</button>`)}</div>
      </details>
      ${this.entity ? nothing : this.#viewsMenu(filters)}
      ${this.#showMenu()}
    </div>`;
  }

  /** How entries are shown. Zone and columns stand in the address, so that a link shows the same. */
  #showMenu() {
    const inZone = (name) => {
      zone.value = name;
      go(withParameters({ zone: name }), { replace: true });
    };
    const shown = columns.value;
    const column = (name, is) => {
      const chosen = Object.keys(COLUMNS).filter((one) => (one === name ? is : shown.includes(one)));
      if (!chosen.length) return this.requestUpdate();
      columns.value = chosen;
      go(withParameters({ columns: chosen.join(',') }), { replace: true });
    };
    const own = !['local', 'utc'].includes(zone.value);
    return html`<details class="menu show" @toggle=${({ target }) => { this.showing = target.open; }}><summary>Show</summary><div>
      <fieldset><legend>Times</legend>${[['relative', 'How long ago'], ['absolute', 'Date and time']].map(([value, name]) => html`
        <label><input type="radio" name="times" .checked=${asTyped(style.value === value)} @change=${() => { style.value = value; }}> ${name}</label>`)}</fieldset>
      <fieldset><legend>Zone</legend>${[['local', 'Local'], ['utc', 'UTC']].map(([value, name]) => html`
        <label><input type="radio" name="zone" .checked=${asTyped(zone.value === value)} @change=${() => inZone(value)}> ${name}</label>`)}
        <label><span class="unseen">Another zone</span><input list="zones" placeholder="Europe/Berlin" autocomplete="off" spellcheck="false"
          .value=${asTyped(own ? zone.value : '')} @input=${({ target }) => target.setCustomValidity('')} @change=${({ target }) => {
            const said = target.value.trim();
            if (isZone(said)) inZone(said);
            else if (said) { target.setCustomValidity('No zone has that name'); target.reportValidity(); }
          }}></label>
        ${this.showing ? html`<datalist id="zones">${Intl.supportedValuesOf('timeZone').map((name) => html`<option value=${name}></option>`)}</datalist>` : nothing}</fieldset>
      <fieldset><legend>Columns</legend>${Object.entries(COLUMNS).map(([name, [title]]) => html`
        <label><input type="checkbox" .checked=${asTyped(shown.includes(name))} @change=${({ target }) => column(name, target.checked)}> ${title}</label>`)}</fieldset>
    </div></details>`;
  }

  #viewsMenu(filters) {
    return html`<details class="menu"><summary>Views</summary><div>
      ${(this.views ?? []).map((view) => html`<span class="view">
        <a href=${`/activity?${query(view.filters)}`}>${view.name}</a>
        <button class="quiet small" aria-label=${`Delete the view ${view.name}`} @click=${async () => {
          await fetched('DELETE', `/views/${view.id}`);
          this.#loadViews();
        }}>✕</button></span>`)}
      ${this.views?.length ? nothing : html`<p class="note">No view is saved yet.</p>`}
      <form @submit=${async (event) => {
        event.preventDefault();
        const name = new FormData(event.target).get('name');
        const form = event.target;
        try {
          await fetched('POST', '/views', { body: { name, filters } });
          form.reset();
          this.#loadViews();
        } catch (problem) {
          form.querySelector('input').setCustomValidity(problem.message);
          form.reportValidity();
        }
      }}><label><span class="unseen">Name of the view</span><input name="name" required maxlength="64" placeholder="Save this view as…"
        @input=${(event) => event.target.setCustomValidity('')}></label><button>Save</button></form>
    </div></details>`;
  }

  #quick(value) {
    if (value === 'own') {
      const since = new Date(Date.now() - 3_600_000).toISOString();
      this.#set({ ...without(this.filters, 'since', 'until'), since: [since] });
    } else {
      this.#set(value ? { ...without(this.filters, 'until'), since: [value] } : without(this.filters, 'since', 'until'));
    }
  }

  #range({ since, until }) {
    const rest = without(this.filters, 'since', 'until');
    this.#set(since ? { ...rest, since: [since], until: [until] } : rest);
  }

  #chips(filters) {
    const held = Object.entries(this.entity ? without(filters, 'entity_type', 'entity_id') : filters);
    const chips = held.filter(([field]) => field !== 'q').flatMap(([field, values]) => values.map((value) => [field, value]));
    const own = rangeOf(filters) === 'own';
    if (!chips.length && !own) return nothing;
    const end = (field, name) => html`<label class="end">${name}
      <input type="datetime-local" step="1" .value=${asTyped(filters[field] ? toField(filters[field][0]) : '')}
        @change=${(event) => {
          const said = event.target.value && fromField(event.target.value);
          this.#set(said ? { ...filters, [field]: [said] } : without(filters, field));
        }}></label>`;
    return html`<div class="chips">
      ${own ? html`${end('since', 'From')}${end('until', 'to')}` : nothing}
      ${chips.filter(([field]) => !own || (field !== 'since' && field !== 'until')).map(([field, value]) => html`
        <button class="chip" aria-label=${`Remove the filter ${NAMES[field]} ${value}`} @click=${() => this.#set(toggled(filters, field, value))}>
          <span class="of">${NAMES[field]}</span> ${value} <span aria-hidden="true">✕</span></button>`)}
      ${held.length > 1 ? html`<button class="quiet" @click=${() => this.#set({})}>Clear all</button>` : nothing}
    </div>`;
  }

  #side(filters) {
    const { facets } = this;
    return html`
      <div class="sheet-head only-small"><strong>Filters</strong>
        <button class="quiet" @click=${() => { this.sheet = false; }}>Done</button></div>
      ${facets ? nothing : html`<p class="note">…</p>`}
      ${facets?.capped ? html`<p class="note">Counted from number ${number(facets.from_seq)} on.</p>` : nothing}
      ${!facets ? nothing : DIMENSIONS.filter((field) => !this.entity || field !== 'entity_type').map((field) => this.#facet(field, filters))}
      ${this.entity || !facets ? nothing : html`<fieldset><legend>${NAMES.entity_id}</legend>${this.#exact('entity_id', filters)}</fieldset>`}`;
  }

  #facet(field, filters) {
    const chosen = filters[field] ?? [];
    const listed = this.facets?.facets[field] ?? [];
    const missing = chosen.filter((value) => !listed.some((one) => one.value === value));
    const values = [...missing.map((value) => ({ value, count: 0 })), ...listed];
    return html`<fieldset><legend>${NAMES[field]}</legend>
      ${values.slice(0, 12).map(({ value, count: held }) => html`
        <button class="facet ${field === 'severity' ? value : ''}" aria-pressed=${chosen.includes(value)}
          @click=${() => this.#set(toggled(filters, field, value))}>
          <span class="value" title=${value}>${value}</span><span class="count">${number(held)}</span></button>`)}
      ${values.length > 12
        ? html`<details><summary>${counted(values.length - 12, 'more', 'more')}</summary>${values.slice(12).map(({ value, count: held }) => html`
            <button class="facet" aria-pressed=${chosen.includes(value)} @click=${() => this.#set(toggled(filters, field, value))}>
              <span class="value" title=${value}>${value}</span><span class="count">${number(held)}</span></button>`)}</details>`
        : nothing}
      ${field === 'actor' || field === 'action' ? this.#exact(field, filters) : nothing}
      ${values.length ? nothing : html`<p class="note">${this.facets ? 'none' : '…'}</p>`}
    </fieldset>`;
  }

  #exact(field, filters) {
    const hint = field === 'action' ? 'task.created or task.*' : `another ${NAMES[field]}`;
    return html`<label><span class="unseen">${NAMES[field]}</span>
      <input class="exact" placeholder=${hint} maxlength="256" autocomplete="off" spellcheck="false"
        .value=${asTyped('')} @change=${(event) => {
          const value = event.target.value.trim();
          event.target.value = '';
          if (value) this.#set({ ...filters, [field]: [value] });
        }}></label>`;
  }

  async #export(format, event) {
    event.target.closest('details').open = false;
    const asked = query(this.filters);
    const cut = new AbortController();
    const sending = { format, total: null, entries: 0, bytes: 0, done: false, problem: null, cut };
    const tell = (changes) => { this.sending = Object.assign(sending, changes); this.requestUpdate(); };
    tell({});
    try {
      const total = await get(`/activity/count?${asked}`, cut.signal);
      tell({ total });
      const answer = await fetched('GET', `/activity/export?${asked}${asked ? '&' : ''}format=${format}`, { signal: cut.signal });
      const parts = [];
      const reader = answer.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parts.push(value);
        tell({ bytes: sending.bytes + value.length });
      }
      const said = answer.headers.get('content-disposition') ?? '';
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob(parts, { type: answer.headers.get('content-type') }));
      link.download = /filename="([^"]+)"/.exec(said)?.[1] ?? `activity.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
      tell({ done: true });
      setTimeout(() => { if (this.sending === sending) this.sending = null; }, 6000);
    } catch (problem) {
      if (problem.name === 'AbortError') this.sending = null;
      else tell({ problem: problem.message ?? 'it was cut short' });
    }
  }

  #progress() {
    const { format, total, bytes, done, problem, cut } = this.sending;
    const size = bytes ? `, ${(bytes / 1_000_000).toFixed(1)} MB` : '';
    const all = total ? `${total.capped ? 'at least ' : ''}${counted(total.count, 'entry', 'entries')}` : 'counting…';
    return html`<div class="toast" role="status">
      ${problem
        ? html`<strong>The export was cut short, and no file was kept.</strong> <span>${problem}.</span>`
        : html`<strong>${done ? 'Exported' : 'Exporting'}</strong> ${all} as ${format.toUpperCase()}${size}
            ${done ? nothing : html`<progress aria-label="Export"></progress>`}`}
      <button class="quiet" @click=${() => { cut.abort(); this.sending = null; }}>${done || problem ? 'Close' : 'Stop'}</button>
    </div>`;
  }
}

function rangeOf({ since, until }) {
  if (!since && !until) return '';
  return !until && RANGES.some(([value]) => value === since?.[0]) ? since[0] : 'own';
}

customElements.define('activity-page', ActivityPage);
