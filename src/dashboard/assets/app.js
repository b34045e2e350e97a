// The page as a whole: who is there, where one is, and what is around it.

import { Part, html, nothing, signal } from './element.js';
import { Problem, fetched, isOperator, may, me, whoAmI } from './api.js';
import { go, place } from './router.js';
import { letters, theme } from './time.js';
import './activity.js';
import './dashboard.js';
import { lookForDevices, thereAre } from './devices.js';
import './palette.js';
import './settings.js';

const problem = signal(null);

async function begin() {
  problem.value = null;
  try {
    await whoAmI();
    lookForDevices();
  } catch (said) {
    problem.value = said instanceof Problem ? said : new Problem(0);
  }
}

const TABS = [['/', 'Dashboard'], ['/activity', 'Activity'], ['/devices', 'Devices'], ['/settings', 'Settings']];
const KEYS = [
  ['Ctrl+K', 'Go anywhere, look for anything'],
  ['/', 'Search'], ['j  k', 'Next, previous entry'], ['Enter', 'Open the entry'], ['Escape', 'Close it'],
  ['Space', 'Pause, go on'], ['End', 'Back to the newest'], ['?', 'This list'],
];

class DaybookApp extends Part {
  connectedCallback() {
    super.connectedCallback();
    begin();
    addEventListener('keydown', (event) => {
      if (event.key !== '?' || letters.value === 'off' || /** @type {Element} */ (event.target).closest?.('input, textarea, select')) return;
      this.querySelector('dialog.help')?.showModal();
    });
  }

  render() {
    if (theme.value === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
    if (problem.value) {
      return html`<main class="gate"><h1>Daybook</h1><div class="failure" role="alert"><strong>The daemon does not answer</strong>
        <p>${problem.value.message}.</p><button @click=${begin}>Try again</button></div></main>`;
    }
    if (me.value === undefined) return html`<main class="gate"><h1>Daybook</h1></main>`;
    if (me.value === null) return html`<sign-in></sign-in>`;
    const { path } = place.value;
    return html`
      <a class="skip" href="#main" @click=${(event) => { event.preventDefault(); this.querySelector('main').focus(); }}>To the content</a>
      <header class="top">
        <a class="name" href="/"><img src="/assets/icon.svg" alt="" width="22" height="22">Daybook</a>
        <nav aria-label="Pages">${TABS.filter(([to]) => to !== '/devices' || thereAre.value || path === to).map(([to, name]) => html`<a href=${to}
          aria-current=${to === path || (to === '/activity' && path.startsWith('/entity')) ? 'page' : nothing}>${name}</a>`)}</nav>
        <span class="me">
          <button class="quiet" title="Go to… (Ctrl+K)" aria-label="Go to…" @click=${() => this.querySelector('command-palette').open()}>⌕</button>
          <button class="quiet" title="Keys" aria-label="Keys" @click=${() => this.querySelector('dialog.help').showModal()}>?</button>
          <span class="who">${me.value.label}</span>
          ${me.value.kind === 'session' ? html`<button class="quiet" @click=${signOut}>Sign out</button>` : nothing}
        </span>
      </header>
      <main id="main" tabindex="-1">${this.#page(path)}</main>
      <command-palette .signOut=${me.value.kind === 'session' ? signOut : null}></command-palette>
      ${this.#help()}`;
  }

  #page(path) {
    document.title = `${TABS.find(([to]) => to === path)?.[1] ?? 'Activity'} · Daybook`;
    if (!may('read') && path !== '/settings') return lacks('read');
    if (path === '/') return html`<dashboard-page></dashboard-page>`;
    if (path === '/settings') return html`<settings-page></settings-page>`;
    if (path === '/devices') return isOperator() ? html`<devices-page></devices-page>` : lacks('admin');
    if (path === '/sign-in') {
      queueMicrotask(() => go('/', { replace: true }));
      return nothing;
    }
    const entity = /^\/entity\/([^/]+)\/([^/]+)$/.exec(path);
    if (entity) {
      const [type, id] = [decodeURIComponent(entity[1]), decodeURIComponent(entity[2])];
      document.title = `${type} ${id} · Daybook`;
      return html`<activity-page .entity=${{ type, id }}></activity-page>`;
    }
    if (path === '/activity') return html`<activity-page></activity-page>`;
    return html`<div class="empty"><h1>There is nothing here</h1><p><a href="/activity">To the activity</a></p></div>`;
  }

  #help() {
    return html`<dialog class="help" aria-labelledby="help-title">
      <h2 id="help-title">Keys</h2>
      <table><tbody>${KEYS.map(([key, does]) => html`<tr><th scope="row"><kbd>${key}</kbd></th><td>${does}</td></tr>`)}</tbody></table>
      <label><input type="checkbox" .checked=${letters.value === 'on'}
        @change=${(event) => { letters.value = event.target.checked ? 'on' : 'off'; }}> Single letters as keys</label>
      <fieldset><legend>Colours</legend>${[['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']].map(([value, name]) => html`
        <label><input type="radio" name="theme" .checked=${theme.value === value} @change=${() => { theme.value = value; }}> ${name}</label>`)}</fieldset>
      <form method="dialog"><button>Close</button></form>
    </dialog>`;
  }
}

export function lacks(scope) {
  return html`<div class="empty" role="alert"><h1>This key may not see that</h1>
    <p>It lacks the scope <code>${scope}</code>. Whoever administers this Daybook can make one that has it:</p>
    <pre><code>daybook key add --label ${me.value.label}-reader --scope ${scope}</code></pre></div>`;
}

async function signOut() {
  await fetched('POST', '/auth/logout', { body: {} }).catch(() => {});
  me.value = null;
  go('/sign-in');
}

class SignIn extends Part {
  static properties = { problem: { state: true }, busy: { state: true } };

  async #submit(event) {
    event.preventDefault();
    this.busy = true;
    this.problem = null;
    try {
      await fetched('POST', '/auth/login', { body: { key: String(new FormData(event.target).get('key')).trim() } });
      await whoAmI();
      lookForDevices();
    } catch (said) {
      this.problem = said;
    }
    this.busy = false;
  }

  render() {
    document.title = 'Sign in · Daybook';
    const told = this.problem
      && (this.problem.status === 401 ? 'That key is not in force. Nothing more is told about why.' : `${this.problem.message}.`);
    return html`<main class="gate">
      <h1><img src="/assets/icon.svg" alt="" width="36" height="36">Daybook</h1>
      <form @submit=${this.#submit}>
        <label for="key">Your key</label>
        <input id="key" name="key" type="password" required autocomplete="current-password" placeholder="dbk_…"
          aria-describedby=${told ? 'told' : nothing}>
        ${told ? html`<p id="told" class="bad" role="alert">${told}</p>` : nothing}
        <button ?disabled=${this.busy}>${this.busy ? 'Signing in…' : 'Sign in'}</button>
      </form>
      <p class="note">Whoever runs this daemon makes one with <code>daybook key add --label you --scope read</code>.</p>
    </main>`;
  }
}

customElements.define('sign-in', SignIn);
customElements.define('daybook-app', DaybookApp);
