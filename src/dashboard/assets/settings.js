// Settings: what is kept, backups, keys, and what this daemon is.

import { Part, asTyped, bytes, classes, counted, html, nothing, number } from './element.js';
import { ask, get, isOperator, may, me } from './api.js';
import { Link } from './live.js';
import { absolute, relative } from './time.js';
import './live-entries.js';

class SettingsPage extends Part {
  static properties = { workspaces: { state: true }, workspace: { state: true }, whole: { state: true } };

  #loaded() {
    this.whole ||= [...this.querySelectorAll('.settings > *')].every((one) => !(one instanceof Panel) || one.data || one.problem);
  }

  connectedCallback() {
    super.connectedCallback();
    if (isOperator()) get('/workspaces').then((list) => { this.workspaces = list.items.map((one) => one.name); }, () => {});
  }

  render() {
    const workspace = this.workspace ?? '';
    // All at once, so that nothing moves while one reads.
    return html`<div class=${classes('settings', !this.whole && 'waits')} @loaded=${this.#loaded}><div class="bar"><h1>Settings</h1><span class="grow"></span>
        ${this.workspaces?.length > 1 ? html`<label>of <select aria-label="Of the workspace" @change=${({ target }) => { this.workspace = target.value; }}>
          <option value="">every workspace</option>
          ${this.workspaces.map((name) => html`<option value=${name} .selected=${name === workspace}>${name}</option>`)}</select></label>` : nothing}</div>
      ${may('read') ? html`<retention-panel .workspace=${workspace}></retention-panel>` : nothing}
      ${may('admin') ? html`<keys-panel></keys-panel>` : nothing}
      ${isOperator() ? html`<workspaces-panel></workspaces-panel><backups-panel></backups-panel><about-panel></about-panel>` : nothing}
      ${may('admin') ? html`<clear-panel .workspace=${workspace || (me.value.workspace_id === '*' ? 'default' : me.value.workspace_id)}></clear-panel>` : nothing}
    </div>`;
  }
}

/** A panel that loads something, and says what went wrong with it. */
class Panel extends Part {
  static properties = { data: { state: true }, problem: { state: true }, told: { state: true } };

  connectedCallback() {
    super.connectedCallback();
    this.load();
  }

  async load() {
    await this.tried(async () => { this.data = await this.read(); });
    this.tell('loaded');
  }

  /** Does it; what is refused is told in the panel. */
  async tried(work, told = null) {
    this.problem = null;
    this.told = null;
    try {
      await work();
      this.told = told;
      return true;
    } catch (problem) {
      this.problem = problem;
      return false;
    }
  }

  render() {
    return html`<section class="panel"><h2>${this.title_}</h2>
      ${this.problem ? html`<p class="bad" role="alert">${this.problem.message}. ${this.data ? nothing : html`<button class="quiet" @click=${() => this.load()}>Try again</button>`}</p>` : nothing}
      ${this.told ? html`<p class="good" role="status">${this.told}</p>` : nothing}
      ${this.data ? this.body(this.data) : this.problem ? nothing : html`<p class="note">…</p>`}</section>`;
  }
}

const FIELDS = { max_days: ['Days', 'An entry older than this goes'], max_entries: ['Entries', 'What is beyond this goes, the oldest first'] };

class RetentionPanel extends Panel {
  static properties = { ...Panel.properties, workspace: {}, edited: { state: true }, preview: { state: true } };

  title_ = 'What is kept';
  #link;

  constructor() {
    super();
    this.edited = {};
  }

  connectedCallback() {
    super.connectedCallback();
    this.#follow();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#link?.stop();
  }

  /** What somebody else changes is seen here at once; what is being typed stays. */
  #follow() {
    this.#link?.stop();
    const anew = () => {
      this.load();
      this.#follow();
    };
    const wanted = { action: ['activity_log.settings_changed'], ...(this.workspace ? { workspace_id: [this.workspace] } : {}) };
    this.#link = new Link(wanted, { entries() {}, lagged() {}, epoch: anew, settings: () => this.#again() });
    this.#link.start(null, null);
  }

  read = () => get(this.#at('settings'));

  #at = (what) => `/activity/${what}${this.workspace ? `?workspace_id=${encodeURIComponent(this.workspace)}` : ''}`;

  willUpdate(changed) {
    if (changed.get('workspace') === undefined) return;
    this.edited = {};
    this.preview = null;
    this.load();
    this.#follow();
  }

  /** What the panel said last stays, since one's own change is told as well. */
  async #again() {
    try {
      this.data = await this.read();
    } catch {
      // What is shown was right a moment ago, and the next answer says what is wrong.
    }
  }

  #value(key) {
    return this.edited[key] ?? this.data[key];
  }

  get #changes() {
    return Object.fromEntries(Object.entries(this.edited).filter(([key, value]) => value !== this.data[key]));
  }

  async #save(event) {
    event.preventDefault();
    const body = this.#changes;
    await this.tried(async () => {
      this.data = await ask('PUT', this.#at('settings'), { body });
      this.edited = {};
      this.preview = null;
    }, 'Saved. It holds from now on.');
  }

  body(data) {
    const admin = may('admin');
    const locked = (key) => data.locked || data.keys[key].locked;
    const from = (key) => html`<span class="source">${locked(key) ? '🔒 locked by' : 'from'} the ${data.keys[key].source}</span>`;
    const changed = Object.keys(this.#changes).length > 0;
    return html`
      ${data.halted ? html`<p class="warn" role="status">Pruning is held back (${data.reason?.replaceAll('_', ' ')}). Running it by hand releases it.</p>` : nothing}
      <form @submit=${this.#save}>
        <label class="line"><span>Recording</span>
          <input type="checkbox" .checked=${asTyped(this.#value('enabled'))} ?disabled=${!admin || locked('enabled')}
            @change=${(event) => { this.edited = { ...this.edited, enabled: event.target.checked }; }}>${from('enabled')}</label>
        ${Object.entries(FIELDS).map(([key, [name, hint]]) => html`
          <label class="line"><span>${name}<small>${hint}; 0 is no limit (${number(data.bounds[key].min)} to ${number(data.bounds[key].max)})</small></span>
            <input type="number" min="0" max=${data.bounds[key].max} step="1" required .value=${asTyped(String(this.#value(key)))}
              ?disabled=${!admin || locked(key)}
              @input=${(event) => { this.edited = { ...this.edited, [key]: event.target.valueAsNumber }; }}>${from(key)}</label>`)}
        ${admin ? html`<p class="actions">
          <button ?disabled=${!changed}>Save</button>
          ${changed ? html`<button type="button" class="quiet" @click=${() => { this.edited = {}; }}>Undo</button>` : nothing}
          ${data.source === 'override' && !data.locked ? html`<button type="button" class="quiet" @click=${() => this.tried(async () => {
            this.data = await ask('DELETE', this.#at('settings'));
            this.edited = {};
          }, 'The file holds again.')}>Back to the file</button>` : nothing}
          <span class="grow"></span>
          <button type="button" class="quiet" @click=${() => this.tried(async () => {
            this.preview = await ask('POST', this.#at('prune'), { body: { dry_run: true } });
          })}>What would go now?</button>
        </p>` : nothing}
      </form>
      ${this.preview ? html`<p role="status">${this.preview.would_remove
        ? html`${counted(this.preview.would_remove, 'entry', 'entries')} would go; the oldest that is kept is of ${absolute(this.preview.oldest_kept_ts ?? Date.now())}.
            <button @click=${() => this.tried(async () => {
              const done = await ask('POST', this.#at('prune'), { body: { confirm: true } });
              this.preview = null;
              await this.load();
              this.gone = done.removed;
            }).then((done) => { if (done) this.told = `${counted(this.gone, 'entry', 'entries')} went.`; })}>Remove them now</button>`
        : 'Nothing would go.'}</p>` : nothing}`;
  }
}

class KeysPanel extends Panel {
  static properties = { ...Panel.properties, made: { state: true } };

  title_ = 'Keys';
  read = () => get('/keys');

  async #make(event) {
    event.preventDefault();
    const form = event.target;
    const said = new FormData(form);
    const body = {
      label: said.get('label'),
      scopes: said.getAll('scope'),
      speaks_for_others: said.has('speaks_for_others'),
    };
    if (said.get('workspace')) body.workspace_id = said.get('workspace');
    if (said.get('expires')) body.expires_in = said.get('expires');
    await this.tried(async () => {
      this.made = await ask('POST', '/keys', { body });
      form.reset();
      this.data = await this.read();
    });
  }

  body({ items }) {
    return html`
      ${items.length ? html`<div class="wide"><table><thead><tr><th scope="col">Label</th><th scope="col">May</th><th scope="col">Workspace</th><th scope="col">Last used</th><th scope="col">Until</th><th scope="col"><span class="unseen">Doings</span></th></tr></thead>
        <tbody>${items.map((key) => html`<tr class=${key.state}>
          <th scope="row">${key.label}</th><td>${key.scopes.join(', ')}${key.speaks_for_others ? ', for others' : ''}</td><td>${key.workspace_id}</td>
          <td>${key.last_used_at ? html`<span title=${key.last_used_at}>${relative(key.last_used_at)}</span>${key.last_used_from ? ` from ${key.last_used_from}` : ''}` : 'never'}</td>
          <td>${key.state === 'active' ? (key.expires_at ? absolute(key.expires_at, { seconds: false }) : 'no end') : key.state}</td>
          <td>${key.source === 'file' ? 'in the file' : key.state === 'active' ? html`
            <button class="quiet small" aria-label=${`Rotate ${key.label}`} @click=${() => this.tried(async () => {
              this.made = await ask('POST', `/keys/${encodeURIComponent(key.label)}/rotate`, { body: { overlap: '1h' } });
              this.data = await this.read();
            }, 'The former secret is taken for an hour more.')}>Rotate</button>
            <button class="quiet small" aria-label=${`Revoke ${key.label}`} @click=${() => {
              if (confirm(`Revoke ${key.label}? Whoever uses it is cut off at once.`)) this.tried(async () => {
                await ask('DELETE', `/keys/${encodeURIComponent(key.label)}`);
                this.data = await this.read();
              });
            }}>Revoke</button>` : nothing}</td></tr>`)}</tbody></table></div>`
        : html`<p>There is no key, so everybody on this machine may do everything. The first key ends that.</p>`}
      ${this.made ? html`<div class="made" role="status"><strong>The key of ${this.made.label}. It is shown this once:</strong>
        <copy-text .text=${this.made.key}></copy-text></div>` : nothing}
      <details><summary>Make a key</summary><form @submit=${this.#make}>
        <label class="line"><span>Label</span><input name="label" required maxlength="64" autocomplete="off"></label>
        <fieldset class="line"><legend>May</legend>${['write', 'read', 'admin'].map((scope) => html`
          <label><input type="checkbox" name="scope" value=${scope} ?checked=${scope !== 'admin'}> ${scope}</label>`)}</fieldset>
        <label class="line"><span>Workspace<small>* for all</small></span><input name="workspace" placeholder=${me.value.workspace_id === '*' ? 'default' : me.value.workspace_id} maxlength="64"></label>
        <label class="line"><span>Ends after<small>such as 90d; nothing is no end</small></span><input name="expires" maxlength="16"></label>
        <label class="line"><span>Speaks for others<small>It may name another actor than itself</small></span><input type="checkbox" name="speaks_for_others"></label>
        <p class="actions"><button>Make</button></p></form></details>`;
  }
}

class WorkspacesPanel extends Panel {
  title_ = 'Workspaces';
  read = () => get('/workspaces');

  #doing(method, path, body) {
    return this.tried(async () => {
      await ask(method, `/workspaces${path}`, { body });
      this.data = await this.read();
    });
  }

  body({ items, next_after: more }) {
    return html`<div class="wide"><table><thead><tr><th scope="col">Name</th><th scope="col">Entries</th><th scope="col">Newest</th><th scope="col">Keys</th><th scope="col">Keeps</th><th scope="col"><span class="unseen">Doings</span></th></tr></thead>
      <tbody>${items.map((one) => html`<tr class=${one.state}>
        <th scope="row"><a href=${`/activity?workspace_id=${encodeURIComponent(one.name)}`}>${one.name}</a>${one.title ? html`<br><small>${one.title}</small>` : nothing}</th>
        <td>${number(one.entries)}</td><td>${one.newest_ts ? relative(one.newest_ts) : ''}</td><td>${one.keys}</td>
        <td>${one.retention.max_days ? counted(one.retention.max_days, 'day') : 'every day'}, ${one.retention.max_entries ? counted(one.retention.max_entries, 'entry', 'entries') : 'all'}</td>
        <td>${one.name === 'default' ? nothing : one.state === 'archived'
          ? html`<button class="quiet small" aria-label=${`Take ${one.name} back`} @click=${() => this.#doing('POST', `/${one.name}/unarchive`, {})}>Take back</button>`
          : html`<button class="quiet small" aria-label=${`Archive ${one.name}`} @click=${() => {
              if (confirm(`Archive ${one.name}? It takes no new entries then; what it has stays.`)) this.#doing('POST', `/${one.name}/archive`, {});
            }}>Archive</button>`}</td></tr>`)}</tbody></table></div>
      ${more ? html`<p class="note">There are more than are listed here.</p>` : nothing}
      <details><summary>Make a workspace</summary><form @submit=${(event) => {
        event.preventDefault();
        const form = event.target;
        const said = Object.fromEntries(new FormData(form));
        this.#doing('POST', '', { name: said.name, title: said.title || null }).then((done) => done && form.reset());
      }}>
        <label class="line"><span>Name<small>It stands in every entry and never changes</small></span><input name="name" required maxlength="64" pattern="[A-Za-z0-9_\\-]+" autocomplete="off"></label>
        <label class="line"><span>Title</span><input name="title" maxlength="64"></label>
        <p class="actions"><button>Make</button></p></form></details>`;
  }
}

class BackupsPanel extends Panel {
  title_ = 'Backups';
  read = () => get('/backups');

  body({ items }) {
    return html`
      ${items.length ? html`<div class="wide"><table><thead><tr><th scope="col">Name</th><th scope="col">Made</th><th scope="col">Size</th><th scope="col"><span class="unseen">Doings</span></th></tr></thead>
        <tbody>${items.map((one) => html`<tr><th scope="row"><a href=${`/api/v1/backups/${encodeURIComponent(one.name)}`} download>${one.name}</a></th>
          <td>${relative(one.created_at)}</td><td>${bytes(one.bytes)}</td>
          <td><button class="quiet small" aria-label=${`Restore ${one.name}`} @click=${() => {
            if (confirm(`Put the book back to ${one.name}? What was recorded since is kept beside it, and is no longer in the book.`)) {
              this.tried(async () => { await ask('POST', `/backups/${encodeURIComponent(one.name)}/restore`, { body: {} }); }, 'Restored.');
            }
          }}>Restore</button>
          <button class="quiet small" aria-label=${`Delete ${one.name}`} @click=${() => {
            if (confirm(`Delete ${one.name}?`)) this.tried(async () => {
              await ask('DELETE', `/backups/${encodeURIComponent(one.name)}`);
              this.data = await this.read();
            });
          }}>Delete</button></td></tr>`)}</tbody></table></div>`
        : html`<p>There is none yet.</p>`}
      <p class="actions"><button @click=${() => this.tried(async () => {
        await ask('POST', '/backups', { body: {} });
        this.data = await this.read();
      }, 'Made.')}>Make a backup now</button></p>`;
  }
}

class AboutPanel extends Panel {
  title_ = 'About';
  read = () => get('/system/info');

  body(info) {
    return html`<dl class="facts"><dt>Version</dt><dd>${info.version}</dd><dt>Running since</dt><dd>${absolute(info.started_at)}</dd>
      <dt>The book</dt><dd>${bytes(info.book.bytes)}, ${info.book.engine}</dd>
      <dt>Newest entry</dt><dd>number ${number(info.book.last_seq)}</dd><dt>Epoch</dt><dd><code>${info.epoch}</code></dd>
      <dt>API</dt><dd><a href="/api/docs">described here</a></dd></dl>`;
  }
}

class ClearPanel extends Panel {
  static properties = { ...Panel.properties, workspace: {}, typed: { state: true } };

  title_ = 'Clear the book';
  read = async () => ({});

  body() {
    const { workspace } = this;
    return html`<p>Every entry of the workspace <strong>${workspace}</strong> goes, for good. That it was cleared stays.</p>
      <form @submit=${(event) => {
        event.preventDefault();
        const form = event.target;
        this.tried(async () => {
          const { removed } = await ask('DELETE', `/activity?workspace_id=${encodeURIComponent(workspace)}`);
          this.removed = removed;
          form.reset();
          this.typed = '';
        }).then((done) => { if (done) this.told = `${counted(this.removed, 'entry', 'entries')} went.`; });
      }}><label class="line"><span>Type <code>${workspace}</code> to confirm</span>
        <input autocomplete="off" spellcheck="false" @input=${(event) => { this.typed = event.target.value; }}></label>
        <p class="actions"><button class="danger" ?disabled=${this.typed !== workspace}>Clear ${workspace}</button></p></form>`;
  }
}

customElements.define('retention-panel', RetentionPanel);
customElements.define('keys-panel', KeysPanel);
customElements.define('workspaces-panel', WorkspacesPanel);
customElements.define('backups-panel', BackupsPanel);
customElements.define('about-panel', AboutPanel);
customElements.define('clear-panel', ClearPanel);
customElements.define('settings-page', SettingsPage);
