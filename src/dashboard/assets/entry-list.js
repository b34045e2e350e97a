// A list of entries in a window of its own: however many there are, only those in sight are in the page. Each row is
// as high as the next, so that where one is can be reckoned and never needs to be measured.

import { Part, classes, html, nothing, repeat } from './element.js';
import { COLUMNS, USUAL } from './columns.js';
import { absolute, shown, style } from './time.js';

/** Rows beyond the edge, so that none is missing while one scrolls. */
const SPARE = 8;

const MARKS = { info: '·', warning: '▲', error: '✕' };

class EntryList extends Part {
  static properties = {
    rows: { attribute: false },
    chosen: { attribute: false },
    more: { type: Boolean },
    label: {},
    columns: { attribute: false },
    top: { state: true },
    height: { state: true },
  };

  #heights = new ResizeObserver(() => this.#measure());
  #frame;

  constructor() {
    super();
    this.rows = [];
    this.chosen = null;
    this.top = 0;
    this.height = 600;
    this.label = 'Entries';
    this.columns = USUAL.split(',');
  }

  connectedCallback() {
    super.connectedCallback();
    this.updateComplete.then(() => {
      if (!this.box) return;
      this.#heights.observe(this.box);
      this.#measure();
    });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#heights.disconnect();
  }

  get box() {
    return this.querySelector('.rows');
  }

  get isAtTop() {
    return (this.box?.scrollTop ?? 0) < 4;
  }

  toTop() {
    if (this.box) this.box.scrollTop = 0;
  }

  #measure() {
    if (!this.box) return;
    this.height = this.box.clientHeight || 600;
    const set = parseFloat(getComputedStyle(this).getPropertyValue('--row'));
    this.rowHeight = set > 0 ? set : 36;
    this.requestUpdate();
  }

  #scrolled() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      if (!this.box) return;
      this.top = this.box.scrollTop;
      this.tell('moved', { atTop: this.isAtTop });
      const left = this.rows.length * this.rowHeight - this.top - this.height;
      if (this.more && left < this.height) this.tell('older');
    });
  }

  /** By so many rows from the one that is chosen. */
  step(by) {
    const at = this.rows.findIndex(({ seq }) => seq === this.chosen);
    const to = Math.max(0, Math.min(this.rows.length - 1, at < 0 ? this.#firstInSight() : at + by));
    if (this.rows[to]) this.reach(to);
  }

  #firstInSight() {
    return Math.ceil(this.top / this.rowHeight);
  }

  async reach(index) {
    const top = index * this.rowHeight;
    const { box } = this;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + this.rowHeight > box.scrollTop + this.height) box.scrollTop = top + this.rowHeight - this.height;
    this.top = box.scrollTop;
    this.tell('chosen', this.rows[index].seq);
    await this.updateComplete;
    await new Promise(requestAnimationFrame);
    this.querySelector(`[data-seq="${this.rows[index]?.seq}"]`)?.focus({ preventScroll: true });
  }

  #key(event) {
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: 12, PageUp: -12, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && this.chosen !== null) {
      this.tell('open', this.chosen);
    } else if (event.key in moves && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (event.key === 'Home') this.reach(0);
      else if (event.key === 'End') this.tell('newest');
      else this.step(moves[event.key]);
    } else {
      return;
    }
    event.preventDefault();
  }

  updated() {
    const above = this.querySelector('.above');
    const below = this.querySelector('.below');
    if (!above) return;
    const wide = (name) => (name === 'time' && style.value === 'absolute' ? '150px' : COLUMNS[name][1]);
    this.style.setProperty('--columns', ['22px', ...this.columns.map(wide)].join(' '));
    above.style.height = `${this.from * this.rowHeight}px`;
    below.style.height = `${Math.max(0, this.rows.length - this.to) * this.rowHeight}px`;
  }

  render() {
    this.rowHeight ??= 36;
    this.from = Math.max(0, Math.floor(this.top / this.rowHeight) - SPARE);
    this.to = Math.min(this.rows.length, this.from + Math.ceil(this.height / this.rowHeight) + 2 * SPARE);
    const inSight = this.rows.slice(this.from, this.to);
    const chosen = this.rows.some(({ seq }) => seq === this.chosen) ? this.chosen : this.rows[0]?.seq;
    return html`
      <div class="rows" role="grid" aria-label=${this.label} aria-rowcount=${this.rows.length}
        @scroll=${this.#scrolled} @keydown=${this.#key}>
        <div class="above" role="presentation"></div>
        ${repeat(inSight, ({ seq }) => seq, (row, i) => this.#row(row, this.from + i, chosen))}
        <div class="below" role="presentation"></div>
      </div>`;
  }

  #row({ seq, entry }, index, chosen) {
    return html`
      <div role="row" class=${classes('row', entry.severity, seq === this.chosen && 'chosen')}
        data-seq=${seq} data-id=${entry.id} aria-rowindex=${index + 1}
        aria-selected=${seq === this.chosen} tabindex=${seq === chosen ? 0 : -1}
        @click=${() => this.tell('open', seq)}>
        <span role="gridcell" class="mark"><span aria-hidden="true">${MARKS[entry.severity] ?? '·'}</span
          ><span class="unseen">${entry.severity}</span></span>
        ${this.columns.map((name) => CELLS[name](entry))}
      </div>`;
  }
}

const plain = (name) => (entry) => html`<span role="gridcell" class="more" title=${entry[name] ?? ''}>${entry[name] ?? ''}</span>`;

const CELLS = {
  time: ({ ts }) => html`<time role="gridcell" datetime=${ts} title=${`${ts} (${absolute(ts)})`}>${shown(ts)}</time>`,
  actor: ({ actor }) => html`<span role="gridcell" class="who" title=${actor}>${actor}</span>`,
  action: ({ action }) => html`<span role="gridcell" class="did" title=${action}>${action}</span>`,
  message: ({ message }) => html`<span role="gridcell" class="said" title=${message}>${message}</span>`,
  entity: ({ entity_type: type, entity_id: id, entity_name: name }) => {
    const of = name ?? id;
    return html`<span role="gridcell" class="of">${of ? html`<span class="kind">${type}</span> ${of}` : nothing}</span>`;
  },
  category: plain('category'),
  address: plain('ip_address'),
  workspace: plain('workspace_id'),
};

customElements.define('entry-list', EntryList);
