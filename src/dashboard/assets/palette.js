// What Ctrl+K opens: one field from which one goes anywhere, and looks for anything that the book knows.

import { Part, html, nothing } from './element.js';
import { get, isOperator, may } from './api.js';
import { nameOf, thereAre } from './devices.js';
import { query } from './filters.js';
import { go } from './router.js';
import { theme } from './time.js';

const SHOWN = 12;
const SOUGHT = { actor: 'what it did', action: 'action', entity_type: 'entity type', category: 'category', severity: 'severity' };
const RANGES = [['1h', 'The last hour'], ['24h', 'The last day'], ['7d', 'The last week']];

class CommandPalette extends Part {
  static properties = {
    signOut: { attribute: false },
    text: { state: true },
    at: { state: true },
    known: { state: true },
  };

  constructor() {
    super();
    this.text = '';
    this.at = 0;
    this.known = [];
  }

  connectedCallback() {
    super.connectedCallback();
    addEventListener('keydown', this.#shortcut);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    removeEventListener('keydown', this.#shortcut);
  }

  #shortcut = (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (this.#dialog.open) this.#dialog.close();
    else this.open();
  };

  get #dialog() {
    return this.querySelector('dialog');
  }

  async open() {
    this.text = '';
    this.at = 0;
    this.#dialog.showModal();
    await this.updateComplete;
    this.querySelector('input').focus();
    this.known = await this.#read();
  }

  /** What the book and its owner have names for. */
  async #read() {
    const none = () => null;
    const [facets, views, workspaces, devices] = await Promise.all([
      may('read') ? get('/activity/facets').catch(none) : null,
      may('read') ? get('/views').catch(none) : null,
      isOperator() ? get('/workspaces').catch(none) : null,
      thereAre.value ? get('/devices').catch(none) : null,
    ]);
    const values = Object.entries(SOUGHT).flatMap(([field, kind]) => (facets?.facets[field] ?? []).map(({ value }) => ({
      name: value, kind, to: `/activity?${query({ [field]: [value] })}`,
    })));
    return [
      ...(views?.items ?? []).map((view) => ({ name: view.name, kind: 'saved view', to: `/activity?${query(view.filters)}` })),
      ...values,
      ...(devices?.items ?? []).map((device) => ({ name: nameOf(device), kind: 'device', to: `/entity/device/${encodeURIComponent(device.id)}` })),
      ...(workspaces?.items ?? []).map(({ name }) => ({ name, kind: 'workspace', to: `/activity?${query({ workspace_id: [name] })}` })),
    ];
  }

  get #choices() {
    const text = this.text.trim();
    const fixed = [
      { name: 'Activity', kind: 'page', to: '/activity' },
      { name: 'Dashboard', kind: 'page', to: '/' },
      ...(thereAre.value ? [{ name: 'Devices', kind: 'page', to: '/devices' }] : []),
      { name: 'Settings', kind: 'page', to: '/settings' },
      ...RANGES.map(([since, name]) => ({ name, kind: 'time', to: `/activity?${query({ since: [since] })}` })),
      ...[['light', 'Light'], ['dark', 'Dark'], ['auto', 'As the system']].map(([value, name]) => ({
        name, kind: 'colours', does: () => { theme.value = value; },
      })),
      ...(this.signOut ? [{ name: 'Sign out', kind: 'session', does: this.signOut }] : []),
    ];
    const looked = text ? [
      { name: `Messages with “${text}”`, kind: 'search', to: `/activity?${query({ q: [text] })}` },
      { name: `What ${text} did`, kind: 'actor', to: `/activity?${query({ actor: [text] })}` },
    ] : [];
    const folded = text.toLowerCase();
    const rank = ({ name }) => (name.toLowerCase().startsWith(folded) ? 0 : name.toLowerCase().includes(folded) ? 1 : 2);
    const found = [...fixed, ...this.known].map((one) => [rank(one), one]).filter(([how]) => how < 2);
    found.sort(([a], [b]) => a - b);
    return [...found.map(([, one]) => one).slice(0, SHOWN - looked.length), ...looked];
  }

  #take(choice) {
    if (!choice) return;
    this.#dialog.close();
    if (choice.to) go(choice.to);
    else choice.does();
  }

  #key(event, choices) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) this.at = (this.at + by + choices.length) % choices.length;
    else if (event.key === 'Enter') this.#take(choices[this.at]);
    else return;
    event.preventDefault();
    this.updateComplete.then(() => this.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }));
  }

  render() {
    const choices = this.#choices;
    return html`<dialog class="palette" aria-label="Go to" @click=${({ target, currentTarget }) => target === currentTarget && currentTarget.close()}>
      <input role="combobox" aria-expanded="true" aria-controls="choices" aria-label="Go to, or look for" autocomplete="off" spellcheck="false"
        placeholder="Go to, or look for…" maxlength="256" .value=${this.text}
        aria-activedescendant=${choices.length ? `choice-${this.at}` : nothing}
        @input=${({ target }) => { this.text = target.value; this.at = 0; }} @keydown=${(event) => this.#key(event, choices)}>
      <ul id="choices" role="listbox" aria-label="Choices">${choices.map((choice, i) => html`
        <li role="option" id=${`choice-${i}`} aria-selected=${i === this.at} @click=${() => this.#take(choice)}>
          <span>${choice.name}</span><span class="kind">${choice.kind}</span></li>`)}</ul>
    </dialog>`;
  }
}

customElements.define('command-palette', CommandPalette);
