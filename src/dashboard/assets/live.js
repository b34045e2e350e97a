// The live link: one socket for one filter. It comes back by itself, and asks for what it missed by number, so that
// nothing is left out and nothing comes twice.

import { signal } from './element.js';

/** Every type of event that is known here. The daemon's own list is the same, which a test holds. */
export const EVENTS = [
  'hello',
  'activity_logged',
  'device_discovered',
  'device_lost',
  'device_changed',
  'device_health_changed',
  'settings_changed',
  'subscribed',
  'live',
  'lagged',
  'error',
  'server_shutting_down',
];

/** Painting more often than this is seen by nobody. */
const GATHER = 100;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

export class Link {
  /** `connecting`, `replaying`, `live`, `waiting` or `off`. */
  state = signal('off');
  #socket;
  #timer;
  #flush;
  #batch = [];
  #wait = FIRST_WAIT;
  #subscribed = false;

  /** `told` has `entries`, `lagged`, `epoch`, `settings`, `devices` and `refused`. */
  constructor(filters, told) {
    this.filters = filters;
    this.told = told;
    this.after = null;
    this.epoch = null;
  }

  start(after, epoch) {
    this.stop();
    this.after = after;
    this.epoch = epoch;
    this.#connect();
    addEventListener('online', this.#atOnce);
  }

  stop() {
    removeEventListener('online', this.#atOnce);
    clearTimeout(this.#timer);
    clearTimeout(this.#flush);
    this.#flush = undefined;
    this.#batch = [];
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
    this.state.value = 'off';
  }

  #atOnce = () => {
    if (this.state.value !== 'waiting') return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #connect() {
    this.state.value = 'connecting';
    this.#subscribed = false;
    const address = new URL('/api/v1/events/ws', location.href);
    address.protocol = address.protocol.replace('http', 'ws');
    const socket = new WebSocket(address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => socket === this.#socket && this.#heard(data);
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.state.value = 'waiting';
      if (event.code === 1008) this.told.refused?.();
      const wait = this.#wait * (0.75 + Math.random() / 2);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
      this.#timer = setTimeout(() => this.#connect(), wait);
    };
  }

  #heard(data) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return;
    }
    if (!EVENTS.includes(event.type)) return;
    switch (event.type) {
      case 'hello':
        if (this.epoch !== null && event.epoch !== this.epoch) {
          this.stop();
          this.told.epoch?.();
          return;
        }
        this.epoch = event.epoch;
        this.state.value = 'replaying';
        this.#socket.send(JSON.stringify({
          type: 'subscribe',
          filters: this.filters,
          after_seq: this.after ?? event.newest_seq ?? 0,
        }));
        return;
      case 'subscribed':
        this.#subscribed = true;
        return;
      case 'live':
        this.state.value = 'live';
        this.#wait = FIRST_WAIT;
        return;
      case 'activity_logged':
        if (!this.#subscribed || (this.after !== null && event.seq <= this.after)) return;
        this.after = event.seq;
        this.#batch.push({ seq: event.seq, entry: event.entry });
        this.#flush ??= setTimeout(() => this.#deliver(), GATHER);
        return;
      case 'lagged':
        this.#deliver();
        this.told.lagged?.(event.missed, event.resume_after_seq);
        return;
      case 'settings_changed':
        this.told.settings?.();
        return;
      default:
        if (event.type.startsWith('device_')) this.told.devices?.(event);
    }
  }

  #deliver() {
    clearTimeout(this.#flush);
    this.#flush = undefined;
    if (!this.#batch.length) return;
    const batch = this.#batch;
    this.#batch = [];
    this.told.entries(batch);
  }
}
