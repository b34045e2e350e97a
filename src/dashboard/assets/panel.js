// One entry with all that it holds, beside the list.

import { Part, html, nothing } from './element.js';
import { get, letIn } from './api.js';
import { absolute, relative } from './time.js';
import { NAMES, toggled } from './filters.js';

/** Those by which one can look for the same. */
const SOUGHT = ['category', 'severity', 'actor', 'action', 'entity_type', 'entity_id'];

class EntryPanel extends Part {
  static properties = {
    entryId: { attribute: false },
    known: { attribute: false },
    filters: { attribute: false },
    held: { state: true },
    problem: { state: true },
  };

  willUpdate(changed) {
    if (!changed.has('entryId') && !changed.has('known')) return;
    if (this.known) this.held = this.known;
    else if (this.held?.entry.id !== this.entryId) this.#load();
  }

  async #load() {
    this.held = this.problem = null;
    const id = this.entryId;
    const workspace = this.filters?.workspace_id?.[0];
    try {
      const held = await get(`/activity/${encodeURIComponent(id)}${workspace ? `?workspace_id=${encodeURIComponent(workspace)}` : ''}`);
      if (id === this.entryId) this.held = held;
    } catch (problem) {
      this.problem = problem;
    }
  }

  focus() {
    this.querySelector('h2')?.focus();
  }

  #only(field, value) {
    const held = this.filters?.[field]?.includes(value);
    const next = held ? toggled(this.filters, field, value) : { ...this.filters, [field]: [value] };
    this.tell('filters', next);
  }

  #without(field, value) {
    const { [field]: _, ...rest } = this.filters ?? {};
    this.tell('filters', { ...(this.filters?.[field]?.includes(value) ? rest : this.filters), [`not_${field}`]: [...(this.filters?.[`not_${field}`] ?? []), value] });
  }

  #field(name, value) {
    if (value === null || value === undefined) return html`<dt>${name}</dt><dd class="none">none</dd>`;
    const held = this.filters?.[name]?.includes(value);
    return html`<dt>${name}</dt><dd><span class="value">${value}</span>
      ${SOUGHT.includes(name)
        ? html`<button class="quiet small" @click=${() => this.#only(name, value)}>
            ${held ? 'Not only this' : 'Only this'}<span class="unseen"> ${NAMES[name]}</span></button>
          <button class="quiet small" @click=${() => this.#without(name, value)}>Without this<span class="unseen"> ${NAMES[name]}</span></button>`
        : nothing}</dd>`;
  }

  render() {
    const close = html`<button class="quiet close" aria-label="Close" @click=${() => this.tell('close')}>✕</button>`;
    if (this.problem) return html`${close}<h2 tabindex="-1">No such entry</h2><p>${this.problem.message}.</p>`;
    if (!this.held) return html`${close}<h2 tabindex="-1">Loading…</h2>`;
    const { seq, entry } = this.held;
    const { metadata, ...fields } = entry;
    const line = `curl '${location.origin}/api/v1/activity/${entry.id}${entry.workspace_id === 'default' ? '' : `?workspace_id=${entry.workspace_id}`}'${letIn()}`;
    const trail = entry.entity_type && entry.entity_id
      ? `/entity/${encodeURIComponent(entry.entity_type)}/${encodeURIComponent(entry.entity_id)}${entry.workspace_id === 'default' ? '' : `?workspace_id=${encodeURIComponent(entry.workspace_id)}`}`
      : null;
    return html`${close}
      <h2 tabindex="-1">${entry.message}</h2>
      <p class="when"><span class="badge ${entry.severity}">${entry.severity}</span>
        ${relative(entry.ts)}, ${absolute(entry.ts)}</p>
      ${trail ? html`<p><a href=${trail}>The trail of this ${entry.entity_type}</a></p>` : nothing}
      <dl>
        <dt>seq</dt><dd><span class="value">${seq}</span></dd>
        ${Object.entries(fields).map(([name, value]) => this.#field(name, value))}
        <dt>metadata</dt><dd>${Object.keys(metadata).length
          ? html`<pre tabindex="0">${JSON.stringify(metadata, null, 2)}</pre>`
          : html`<span class="none">none</span>`}</dd>
      </dl>
      <div class="copies">
        <copy-text .text=${JSON.stringify(entry)} label="Copy as JSON"></copy-text>
        <copy-text .text=${line} label="Copy as curl"></copy-text>
      </div>`;
  }
}

customElements.define('entry-panel', EntryPanel);
