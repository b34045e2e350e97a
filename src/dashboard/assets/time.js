// Times: in words or in figures, here or in UTC, as whoever looks prefers.

import { signal } from './element.js';

const kept = (name, otherwise) => localStorage.getItem(`daybook.${name}`) ?? otherwise;
const preference = (name, otherwise) => {
  const held = signal(kept(name, otherwise));
  return {
    get value() {
      return held.value;
    },
    set value(said) {
      localStorage.setItem(`daybook.${name}`, said);
      held.value = said;
    },
  };
};

/** `local` or `utc`; an address that names one wins. */
export const zone = preference('zone', 'local');
/** `relative` or `absolute`. */
export const style = preference('times', 'relative');
/** `auto`, `light` or `dark`. */
export const theme = preference('theme', 'auto');
/** `on` or `off`: single letters as keys. */
export const letters = preference('letters', 'on');

/** Goes on every few seconds, so that "2 minutes ago" stays true. */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 5000);

const parts = (utc) => ({
  day: new Intl.DateTimeFormat('sv-SE', { timeZone: utc ? 'UTC' : undefined, dateStyle: 'short' }),
  clock: new Intl.DateTimeFormat('sv-SE', { timeZone: utc ? 'UTC' : undefined, timeStyle: 'medium' }),
});
const LOCAL = parts(false);
const UTC = parts(true);

export function absolute(ts, { seconds = true } = {}) {
  const date = new Date(ts);
  const { day, clock } = zone.value === 'utc' ? UTC : LOCAL;
  const time = clock.format(date);
  return `${day.format(date)} ${seconds ? time : time.slice(0, 5)}`;
}

export function relative(ts) {
  const seconds = Math.round((now.value - Date.parse(ts)) / 1000);
  if (seconds < 5) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return absolute(ts, { seconds: false });
}

export const shown = (ts) => (style.value === 'relative' ? relative(ts) : absolute(ts));

/** What a field for a time takes, in the zone that is shown. */
export function toField(ts) {
  return absolute(ts).replace(' ', 'T');
}

export function fromField(text) {
  const date = new Date(zone.value === 'utc' ? `${text}Z` : text);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
