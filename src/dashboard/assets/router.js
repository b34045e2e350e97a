// Where one is. All that a view shows is in the address, so that a link shows it to a colleague and Back works.

import { signal } from './element.js';

const here = () => ({ path: location.pathname, params: new URLSearchParams(location.search) });

export const place = signal(here());

export function go(address, { replace = false } = {}) {
  const url = new URL(address, location.href);
  const same = url.pathname === location.pathname && url.search === location.search;
  if (same) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', url);
  place.value = here();
}

/** The same page with some parameters changed; null takes one away, a list repeats it. */
export function withParameters(changes, from = place.value) {
  const params = new URLSearchParams(from.params);
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    const values = Array.isArray(value) ? value : value === null || value === '' ? [] : [value];
    for (const one of values) params.append(name, one);
  }
  const query = params.toString();
  return from.path + (query ? `?${query}` : '');
}

addEventListener('popstate', () => {
  place.value = here();
});

addEventListener('click', (event) => {
  /** @type {HTMLAnchorElement | null} */
  const link = /** @type {Element} */ (event.target).closest?.('a[href]');
  const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname.startsWith('/api')) return;
  event.preventDefault();
  go(link.href);
  scrollTo(0, 0);
});
