// The devices: what is on the network and how it is, and what one can do to each.

import { Part, classes, counted, html, nothing, signal } from './element.js';
import { ask, get, isOperator } from './api.js';
import { Link } from './live.js';
import { absolute, relative } from './time.js';

/** Whether there is anything to show: a device, or somebody who looks for some. */
export const thereAre = signal(false);

export async function lookForDevices() {
  const told = isOperator() ? await get('/devices?limit=1').catch(() => null) : null;
  thereAre.value = Boolean(told && (told.items.length || told.discovery?.enabled));
}

const MARKS = { online: '●', offline: '✕', lost: '○', unknown: '?' };
const STATES = { starting: 'Starting to look…', running: 'Looking', no_network: 'No network to look in', waiting: 'Starting anew soon' };
const GATHER = 300;
const LOOK_AGAIN = 15_000;

/** As somebody called it, else as it calls itself. */
export const nameOf = (device) => device.given_name ?? device.name;

export class DevicesPage extends Part {
  static properties = { list: { state: true }, problem: { state: true }, told: { state: true }, names: { state: true }, busy: { state: true } };

  #link = new Link({ category: ['device'] }, { entries() {}, lagged() {}, epoch: () => this.#begin(), devices: () => this.#soon() });
  #timer;
  #wait;

  connectedCallback() {
    super.connectedCallback();
    this.#begin();
    this.#timer = setInterval(() => !document.hidden && this.#load(), LOOK_AGAIN);
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    clearInterval(this.#timer);
    clearTimeout(this.#wait);
    this.#link.stop();
  }

  #begin() {
    this.#load();
    this.#link.start(null, null);
  }

  /** Changes come together. */
  #soon() {
    clearTimeout(this.#wait);
    this.#wait = setTimeout(() => this.#load(), GATHER);
  }

  async #load() {
    try {
      this.list = await get('/devices');
      this.problem = null;
      thereAre.value = Boolean(this.list.items.length || this.list.discovery?.enabled);
    } catch (problem) {
      this.problem = problem;
    }
  }

  async #does(work, told = null) {
    this.problem = this.told = null;
    try {
      const said = await work();
      this.told = typeof told === 'function' ? told(said) : told;
      await this.#load();
    } catch (problem) {
      this.problem = problem;
    }
  }

  render() {
    const { list, problem } = this;
    return html`<div class="bar"><h1>Devices</h1><span class="grow"></span>${list ? this.#discovery(list.discovery) : nothing}</div>
      ${problem ? html`<p class="bad" role="alert">${problem.message}. <button class="quiet" @click=${() => this.#load()}>Try again</button></p>` : nothing}
      ${this.told ? html`<p class="good" role="status">${this.told}</p>` : nothing}
      ${list ? this.#table(list.items) : problem ? nothing : html`<p class="note">…</p>`}
      ${list ? this.#adding() : nothing}`;
  }

  #discovery(discovery) {
    if (!discovery?.enabled) return html`<span class="note">Nobody looks for devices: <code>[discovery] enabled</code> is off.</span>`;
    const seen = discovery.interfaces.length ? ` on ${discovery.interfaces.join(', ')}` : '';
    return html`<span class=${classes('link', discovery.trouble ? 'waiting' : discovery.state === 'running' && 'live')} role="status"><i aria-hidden="true"></i>${discovery.trouble
      ?? `${STATES[discovery.state] ?? discovery.state}${seen}`}</span>`;
  }

  #table(items) {
    if (!items.length) {
      return html`<div class="empty"><strong>No device is known yet</strong><p>Those that announce themselves appear here by
        themselves when <code>[discovery] enabled = true</code>. Any other can be added below by its address.</p></div>`;
    }
    return html`<div class="wide panel"><table class="devices"><thead><tr><th scope="col">Device</th><th scope="col">State</th><th scope="col">Where</th>
        <th scope="col">Last seen</th><th scope="col">Checked</th><th scope="col"><span class="unseen">Doings</span></th></tr></thead>
      <tbody>${items.map((device) => this.#row(device))}</tbody></table></div>`;
  }

  #row(device) {
    const name = nameOf(device);
    const at = `/devices/${encodeURIComponent(device.id)}`;
    const { last_check: last } = device;
    const doing = (what, sign, work) => html`<button class="quiet small" aria-label=${`${what} ${name}`} @click=${work}>${sign}</button>`;
    return html`<tr class=${classes(device.state, device.ignored && 'ignored')}>
      <th scope="row">${this.names === device.id ? this.#naming(device, at) : html`<a href=${`/entity/device/${encodeURIComponent(device.id)}`}>${name}</a>
        <br><small>${device.type ?? device.source}${device.given_name ? `, calls itself ${device.name}` : ''}</small>`}</th>
      <td><span class=${`state ${device.state}`}><span aria-hidden="true">${MARKS[device.state]}</span> ${device.ignored ? 'ignored' : device.state}${device.flapping ? ', unsteady' : ''}</span></td>
      <td>${device.addresses[0] ?? device.host ?? ''}${device.port ? `:${device.port}` : ''}${device.addresses.length > 1
        ? html`<br><small>${counted(device.addresses.length - 1, 'more address', 'more addresses')}</small>` : nothing}</td>
      <td>${device.last_seen ? html`<span title=${absolute(device.last_seen)}>${relative(device.last_seen)}</span>` : 'never'}</td>
      <td>${last ? html`<span title=${last.at ? absolute(last.at) : ''}>${last.ok ? `${last.millis} ms` : last.error}</span>` : device.check ? 'not yet' : 'not at all'}</td>
      <td>${doing('Check', this.busy === device.id ? '…' : 'Check', () => {
          this.busy = device.id;
          this.#does(() => ask('POST', `${at}/check`, { body: {} }), ({ check }) => `${name} ${check.ok ? `answered in ${check.millis} ms` : `did not answer: ${check.error}`}.`)
            .finally(() => { this.busy = null; });
        })}
        ${doing('Rename', 'Rename', () => { this.names = device.id; this.updateComplete.then(() => this.querySelector('.naming input')?.focus()); })}
        ${doing(device.ignored ? 'Heed' : 'Ignore', device.ignored ? 'Heed' : 'Ignore', () => this.#does(() => ask('PATCH', at, { body: { ignored: !device.ignored } })))}
        ${doing('Remove', 'Remove', () => {
          if (confirm(`Remove ${name}? Its trail stays. If it is announced again, it is discovered again.`)) this.#does(() => ask('DELETE', at));
        })}</td></tr>`;
  }

  #naming(device, at) {
    return html`<form class="naming" @submit=${(event) => {
      event.preventDefault();
      const said = String(new FormData(event.target).get('name')).trim();
      this.names = null;
      this.#does(() => ask('PATCH', at, { body: { given_name: said || null } }));
    }} @keydown=${({ key }) => { if (key === 'Escape') this.names = null; }}>
      <input name="name" maxlength="128" aria-label=${`Name of ${nameOf(device)}`} .value=${nameOf(device)}><button class="small">Save</button></form>`;
  }

  #adding() {
    return html`<section class="panel"><details ?open=${!this.list.items.length}><summary>Add a device</summary>
      <form @submit=${(event) => {
        event.preventDefault();
        const form = event.target;
        /** @type {Record<string, unknown>} */
        const said = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
        if (said.port) said.port = Number(said.port);
        this.#does(() => ask('POST', '/devices', { body: said }), (device) => `${nameOf(device)} was added.`).then(() => { if (!this.problem) form.reset(); });
      }}>
        <label class="line"><span>Address<small>A number, or the name of a host</small></span><input name="address" required maxlength="256" autocomplete="off" spellcheck="false"></label>
        <label class="line"><span>Name</span><input name="name" maxlength="128" autocomplete="off"></label>
        <label class="line"><span>Port<small>Where it is checked; nothing is as its type says</small></span><input name="port" type="number" min="1" max="65535"></label>
        <p class="actions"><button>Add</button></p></form></details></section>`;
  }
}

customElements.define('devices-page', DevicesPage);
