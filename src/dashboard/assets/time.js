// Times: in words or in figures, here or in UTC, as whoever looks prefers.

import { signal } from './element.js';
import { place } from './router.js';

const kept = (name, otherwise) => localStorage.getItem(`daybook.${name}`) ?? otherwise;
export const preference = (name, otherwise) => {
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

/** Whether times can be shown in it: `local`, `utc`, or a name such as `Europe/Berlin`. */
export function isZone(name) {
  if (name === 'local' || name === 'utc') return true;
  try {
    return Boolean(name) && Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}

const keptZone = preference('zone', 'local');
/** The zone that times are shown in; an address that names one wins. */
export const zone = {
  get value() {
    const said = place.value.params.get('zone');
    if (said && isZone(said)) return said;
    return isZone(keptZone.value) ? keptZone.value : 'local';
  },
  set value(said) {
    keptZone.value = said;
  },
};
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

const made = new Map();

/** How a zone writes a day and a time of day. */
function writes(name) {
  if (!made.has(name)) {
    const timeZone = name === 'local' ? undefined : name;
    made.set(name, {
      day: new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }),
      clock: new Intl.DateTimeFormat('sv-SE', { timeZone, timeStyle: 'medium' }),
    });
  }
  return made.get(name);
}

export function absolute(ts, { seconds = true } = {}) {
  const date = new Date(ts);
  const { day, clock } = writes(zone.value);
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

/** How far the zone's clock is ahead at this moment, in milliseconds. */
const ahead = (moment) => Date.parse(`${toField(moment)}Z`) - Math.floor(moment / 1000) * 1000;

export function fromField(text) {
  const wall = Date.parse(`${text}Z`);
  if (Number.isNaN(wall)) return null;
  // The clock is set about once a half year: a day before is on one side of that, a day after on the other. An hour
  // that is there twice is taken the first time; one that is skipped is as long after the change as it says.
  const day = 86_400_000;
  const [before, after] = [ahead(wall - day), ahead(wall + day)];
  const fits = [before, after].map((by) => wall - by).find((moment) => ahead(moment) === wall - moment);
  return new Date(fits ?? wall - before).toISOString();
}
