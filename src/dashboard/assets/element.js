// What every part of the page is: an element in the page's own tree, drawn again when a signal that it read changes.

import { LitElement, html, nothing, svg } from './vendor/lit-element.js';
import { effect, signal, computed, batch, untracked } from './vendor/signals-core.js';
import { repeat } from './vendor/repeat.js';
import { live as asTyped } from './vendor/live-value.js';

export { html, nothing, svg, repeat, asTyped, signal, computed, effect, batch, untracked };

export class Part extends LitElement {
  #stop;

  createRenderRoot() {
    return this;
  }

  performUpdate() {
    if (!this.isUpdatePending) return;
    this.#stop?.();
    let drawn = false;
    this.#stop = effect(() => {
      if (drawn) {
        // Not within the change itself: several come together.
        queueMicrotask(() => this.isConnected && this.requestUpdate());
      } else {
        drawn = true;
        super.performUpdate();
      }
    });
  }

  connectedCallback() {
    super.connectedCallback();
    this.requestUpdate();
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Tells whoever holds this part. */
  tell(what, detail) {
    this.dispatchEvent(new CustomEvent(what, { detail, bubbles: true }));
  }
}

/** Words for classes, without those that do not hold. */
export const classes = (...words) => words.filter(Boolean).join(' ');

const NUMBER = new Intl.NumberFormat('en');
export const number = (value) => NUMBER.format(value);

export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
