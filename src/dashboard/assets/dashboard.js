// The dashboard: widgets on a grid, as each has arranged them.

import { Part, asTyped, bytes, classes, counted, html, nothing, number } from './element.js';
import { ask, get, isOperator } from './api.js';
import { nameOf, thereAre } from './devices.js';
import { query } from './filters.js';
import { go } from './router.js';
import { absolute, relative } from './time.js';
import './live-entries.js';
import './histogram.js';

const COLUMNS = 12;
const LOOK_AGAIN = 15_000;

class DashboardPage extends Part {
  static properties = {
    widgets: { state: true },
    places: { state: true },
    edits: { state: true },
    problem: { state: true },
    source: { state: true },
  };

  connectedCallback() {
    super.connectedCallback();
    this.#load();
  }

  async #load() {
    this.problem = null;
    try {
      const [widgets, layout] = await Promise.all([get('/widgets'), get('/layouts/me')]);
      this.widgets = new Map(widgets.items.map((one) => [one.id, one]));
      this.places = layout.widgets;
      this.source = layout.source;
    } catch (problem) {
      this.problem = problem;
    }
  }

  async #save(places) {
    this.places = places;
    try {
      this.source = (await ask('PUT', '/layouts/me', { body: { widgets: places } })).source;
    } catch (problem) {
      this.problem = problem;
    }
  }

  #change(id, change) {
    const fit = (place) => {
      const w = Math.max(2, Math.min(COLUMNS, place.w));
      return { ...place, w, h: Math.max(1, Math.min(24, place.h)), x: Math.max(0, Math.min(COLUMNS - w, place.x)), y: Math.max(0, place.y) };
    };
    const moved = fit({ ...this.places.find((place) => place.widget === id), ...change });
    this.#save(settled(this.places.map((place) => (place.widget === id ? moved : place)), id));
  }

  #add(id) {
    const widget = this.widgets.get(id);
    const below = Math.max(0, ...this.places.map((place) => place.y + place.h));
    this.#save([...this.places, { widget: id, x: 0, y: below, w: widget.width, h: widget.height }]);
  }

  async #make(event) {
    event.preventDefault();
    const form = event.target;
    const said = Object.fromEntries(new FormData(form));
    const filters = Object.fromEntries(new URLSearchParams(String(said.filters)));
    try {
      const made = await ask('POST', '/widgets', {
        body: { title: said.title, view: said.view, by: said.view === 'top' ? said.by : null, filters },
      });
      this.widgets = new Map(this.widgets).set(made.id, made);
      this.#add(made.id);
      form.reset();
      form.closest('details').open = false;
    } catch (problem) {
      const field = form.elements[problem.errors[0]?.field] ?? form.elements.filters;
      field.setCustomValidity(problem.message);
      form.reportValidity();
    }
  }

  async #forget(id) {
    await ask('DELETE', `/widgets/${id}`);
    this.#load();
  }

  updated() {
    for (const place of this.places ?? []) {
      const card = this.querySelector(`[data-widget="${CSS.escape(place.widget)}"]`);
      if (!card) continue;
      card.style.gridColumn = `${place.x + 1} / span ${place.w}`;
      card.style.gridRow = `${place.y + 1} / span ${place.h}`;
    }
  }

  render() {
    if (this.problem && !this.places) {
      return html`<div class="failure" role="alert"><strong>This could not be loaded</strong><p>${this.problem.message}.</p>
        <button @click=${() => this.#load()}>Try again</button></div>`;
    }
    if (!this.places) return html`<h1 class="unseen">Dashboard</h1>`;
    const shown = this.places.filter((place) => this.#isThere(place.widget));
    return html`
      <div class="bar"><h1>Dashboard</h1><span class="grow"></span>
        ${this.edits ? html`
          ${this.source === 'own' ? html`<button class="quiet" @click=${async () => { await ask('DELETE', '/layouts/me'); this.#load(); }}>As at first</button>` : nothing}
          ${this.#adding()}` : nothing}
        <button class="quiet" aria-pressed=${Boolean(this.edits)} @click=${() => { this.edits = !this.edits; }}>${this.edits ? 'Done' : 'Arrange'}</button>
      </div>
      ${this.problem ? html`<p class="bad" role="alert">${this.problem.message}.</p>` : nothing}
      <div class="grid">${shown.map((place) => this.#card(place))}</div>
      ${shown.length ? nothing : html`<div class="empty"><strong>No widget is here</strong><p>“Arrange” adds some.</p></div>`}`;
  }

  #isThere(id) {
    const view = this.widgets.get(id)?.view;
    return view && (view !== 'devices' || thereAre.value) && (view !== 'storage' || isOperator());
  }

  #card(place) {
    const widget = this.widgets.get(place.widget);
    const change = (by) => this.#change(place.widget, by);
    const tool = (name, sign, by) => html`<button class="quiet small" aria-label=${`${name}: ${widget.title}`} title=${name} @click=${() => change(by)}>${sign}</button>`;
    return html`<section class="card" data-widget=${place.widget} aria-label=${widget.title}>
      <header><h2>${widget.title}</h2>
        ${this.edits
          ? html`<span class="tools">
              ${tool('Left', '←', { x: place.x - 1 })}${tool('Right', '→', { x: place.x + 1 })}
              ${tool('Up', '↑', { y: place.y - 1 })}${tool('Down', '↓', { y: place.y + 1 })}
              ${tool('Narrower', '⇥', { w: place.w - 1 })}${tool('Wider', '⇤', { w: place.w + 1 })}
              ${tool('Lower', '−', { h: place.h - 1 })}${tool('Higher', '+', { h: place.h + 1 })}
              <button class="quiet small" aria-label=${`Remove: ${widget.title}`} @click=${() => this.#save(this.places.filter((one) => one !== place))}>✕</button>
            </span>`
          : ['list', 'over_time', 'count', 'top'].includes(widget.view)
            ? html`<a href=${`/activity?${query(widget.filters)}`}>In Activity</a>`
            : widget.view === 'devices' ? html`<a href="/devices">All of them</a>` : nothing}
      </header>
      <widget-body .widget=${widget}></widget-body>
    </section>`;
  }

  #adding() {
    const placed = new Set(this.places.map((place) => place.widget));
    const free = [...this.widgets.values()].filter((one) => !placed.has(one.id) && this.#isThere(one.id));
    const clear = (event) => event.target.setCustomValidity('');
    return html`<details class="menu"><summary>Add a widget</summary><div>
      ${free.map((one) => html`<span class="view"><button class="quiet" @click=${() => this.#add(one.id)}>${one.title}</button>
        ${one.built_in ? nothing : html`<button class="quiet small" aria-label=${`Delete ${one.title}`} @click=${() => this.#forget(one.id)}>✕</button>`}</span>`)}
      <form class="own" @submit=${this.#make}><strong>One of your own</strong>
        <label>Title <input name="title" required maxlength="64" @input=${clear}></label>
        <label>Shows <select name="view"><option value="list">the entries</option><option value="count">how many</option>
          <option value="over_time">how many when</option><option value="top">the most frequent</option></select></label>
        <label>of <select name="by"><option>actor</option><option>action</option><option>category</option><option>severity</option><option>entity_type</option></select></label>
        <label>Filter <input name="filters" placeholder="severity=error&since=7d" @input=${clear}></label>
        <button>Make</button></form>
    </div></details>`;
  }
}

/** Whatever stands where the one that was moved goes makes room below it. */
function settled(places, first) {
  const order = [...places].sort((a, b) => a.y - b.y || (a.widget === first ? -1 : 1) - (b.widget === first ? -1 : 1));
  const done = [];
  const meets = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  for (const place of [...order.filter((one) => one.widget === first), ...order.filter((one) => one.widget !== first)]) {
    let y = place.y;
    while (done.some((one) => meets({ ...place, y }, one))) y += 1;
    done.push({ ...place, y });
  }
  return done.sort((a, b) => a.y - b.y || a.x - b.x);
}

/** What a widget shows. One that fails says so in its card, and the others live. */
class WidgetBody extends Part {
  static properties = { widget: { attribute: false }, data: { state: true }, problem: { state: true } };

  #timer;

  connectedCallback() {
    super.connectedCallback();
    this.#timer = setInterval(() => !document.hidden && this.#load(), LOOK_AGAIN);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
  }

  willUpdate(changed) {
    if (changed.has('widget')) this.#load();
  }

  async #load() {
    const { view, filters } = this.widget;
    const asked = query(filters);
    const asks = {
      count: () => get(`/activity/count?${asked}`),
      over_time: () => get(`/activity/histogram?${asked}${asked ? '&' : ''}buckets=60`),
      top: () => get(`/activity/facets?${asked}`),
      devices: () => get('/devices'),
      storage: () => get('/system/info'),
      retention: () => get('/activity/settings'),
    };
    if (!asks[view]) return;
    try {
      this.data = await asks[view]();
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
    }
  }

  render() {
    try {
      if (this.problem && !this.data) throw this.problem;
      return this.#drawn();
    } catch (problem) {
      return html`<div class="failure" role="alert"><strong>This widget failed</strong><p>${problem.message}</p>
        <button class="quiet" @click=${() => { this.problem = null; this.#load(); }}>Try again</button></div>`;
    }
  }

  #drawn() {
    const { widget, data } = this;
    if (widget.view === 'list') {
      return html`<live-entries compact .filters=${widget.filters} @open=${(event) => {
        const row = event.currentTarget.feed.rows.value.find(({ seq }) => seq === event.detail);
        if (row) go(`/activity?${query(widget.filters, { entry: row.entry.id })}`);
      }}></live-entries>`;
    }
    if (!data) return html`<p class="note">…</p>`;
    switch (widget.view) {
      case 'count':
        return html`<p class="figure">${data.capped ? '≥ ' : ''}${number(data.count)}</p>`;
      case 'over_time':
        return html`<time-histogram .data=${data}></time-histogram>`;
      case 'top':
        return this.#top(data.facets[widget.by] ?? []);
      case 'devices':
        return this.#devices(data.items);
      case 'storage':
        return html`<dl class="facts"><dt>Entries up to</dt><dd>${number(data.book.last_seq)}</dd>
          <dt>File</dt><dd>${bytes(data.book.bytes)}</dd>
          <dt>Newest</dt><dd>${data.book.last_seq ? relative(data.book.last_ts) : 'none'}</dd>
          <dt>Since the start</dt><dd title=${data.started_at}>${absolute(data.started_at, { seconds: false })}</dd>
          <dt>Writer</dt><dd>${data.writer.health}</dd></dl>`;
      case 'retention':
        return html`<dl class="facts"><dt>Recording</dt><dd>${data.enabled ? 'on' : 'off'}</dd>
          <dt>At most</dt><dd>${data.max_days ? counted(data.max_days, 'day') : 'no limit'}</dd>
          <dt>And</dt><dd>${data.max_entries ? counted(data.max_entries, 'entry', 'entries') : 'no limit'}</dd>
          <dt>From</dt><dd>${data.source}</dd></dl>`;
      default:
        return html`<p class="note">Nothing to show.</p>`;
    }
  }

  #devices(items) {
    const heeded = items.filter((device) => !device.ignored);
    const count = (state) => heeded.filter((device) => device.state === state).length;
    const away = heeded.filter((device) => device.state === 'offline' || device.state === 'lost');
    return html`<p class="figure">${number(count('online'))}<small> of ${number(heeded.length)} online</small></p>
      ${away.length ? html`<ul class="top-list">${away.slice(0, 6).map((device) => html`<li><a href=${`/entity/device/${encodeURIComponent(device.id)}`}>
        <span class="value">${nameOf(device)}</span><span class="count">${device.state}${device.last_seen ? `, ${relative(device.last_seen)}` : ''}</span></a></li>`)}</ul>` : nothing}`;
  }

  #top(values) {
    const { widget } = this;
    if (!values.length) return html`<p class="note">Nothing in this time.</p>`;
    const most = values[0].count;
    return html`<ul class="top-list">${values.slice(0, 8).map(({ value, count }) => html`
      <li><a class=${classes(widget.by === 'severity' && value)} href=${`/activity?${query({ ...widget.filters, [widget.by]: [value] })}`}>
        <span class="value">${value}</span><span class="count">${number(count)}</span>
        <meter min="0" max=${most} .value=${asTyped(count)} aria-hidden="true"></meter></a></li>`)}</ul>`;
  }
}

customElements.define('widget-body', WidgetBody);
customElements.define('dashboard-page', DashboardPage);
