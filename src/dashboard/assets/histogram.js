// Entries over time, as bars; dragging across them says from when to when.

import { Part, counted, html, nothing, number, svg } from './element.js';
import { absolute } from './time.js';

const WIDTH = 1000;
const HEIGHT = 100;

class TimeHistogram extends Part {
  static properties = {
    data: { attribute: false },
    brush: { type: Boolean },
    from: { state: true },
    to: { state: true },
    at: { state: true },
  };

  #drags = false;

  #bucket(event) {
    const box = this.querySelector('svg').getBoundingClientRect();
    const share = Math.max(0, Math.min(0.9999, (event.clientX - box.left) / box.width));
    return Math.floor(share * this.data.buckets.length);
  }

  #down(event) {
    if (!this.brush || event.button !== 0) return;
    this.#drags = true;
    event.currentTarget.setPointerCapture(event.pointerId);
    this.from = this.to = this.#bucket(event);
  }

  #move(event) {
    this.at = this.#bucket(event);
    if (this.#drags) this.to = this.at;
  }

  #up() {
    if (!this.#drags) return;
    this.#drags = false;
    this.#choose();
  }

  #choose() {
    const [first, last] = [Math.min(this.from, this.to), Math.max(this.from, this.to)];
    this.from = this.to = undefined;
    const { buckets, until } = this.data;
    this.tell('range', { since: buckets[first].start, until: buckets[last + 1]?.start ?? until });
  }

  #key(event) {
    if (!this.brush) return;
    const last = this.data.buckets.length - 1;
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) {
      const to = Math.max(0, Math.min(last, (this.to ?? (by > 0 ? -1 : last + 1)) + by));
      this.from = event.shiftKey && this.from !== undefined ? this.from : to;
      this.to = this.at = to;
    } else if (event.key === 'Enter' && this.from !== undefined) {
      this.#choose();
    } else if (event.key === 'Escape' && this.from !== undefined) {
      this.from = this.to = undefined;
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  render() {
    const { data } = this;
    if (!data) return html`<div class="chart waits" aria-hidden="true"></div>`;
    const sums = data.buckets.map((one) => one.info + one.warning + one.error);
    const most = Math.max(1, ...sums);
    const total = sums.reduce((sum, one) => sum + one, 0);
    const wide = WIDTH / Math.max(1, sums.length);
    const marked = this.from === undefined ? null : [Math.min(this.from, this.to), Math.max(this.from, this.to)];
    const said = `${counted(total, 'entry', 'entries')} from ${absolute(data.since, { seconds: false })} to ${absolute(data.until, { seconds: false })}`;
    const at = this.at === undefined ? null : data.buckets[this.at];
    const help = this.brush ? '. Arrow keys choose, with Shift a range, Enter takes it' : '';
    return html`
      <div class="chart">
        <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role=${this.brush ? 'application' : 'img'}
          aria-label=${said + help} tabindex=${this.brush ? 0 : nothing}
          @pointerdown=${this.#down} @pointermove=${this.#move} @pointerup=${this.#up}
          @pointerleave=${() => { if (!this.#drags) this.at = undefined; }}
          @dblclick=${() => this.brush && this.tell('range', { since: null, until: null })} @keydown=${this.#key}>
          ${marked
            ? svg`<rect class="marked" x=${marked[0] * wide} y="0" width=${(marked[1] - marked[0] + 1) * wide} height=${HEIGHT}></rect>`
            : nothing}
          ${data.buckets.map((one, i) => bar(one, sums[i], most, i * wide, wide))}
        </svg>
        <p class="scale">
          <span>${absolute(data.since, { seconds: false })}</span>
          <span class="reading">${at
            ? `${absolute(at.start, { seconds: false })}: ${number(sums[this.at])}${at.error ? `, ${number(at.error)} errors` : ''}${at.warning ? `, ${counted(at.warning, 'warning')}` : ''}`
            : `${data.capped ? 'at least ' : ''}${counted(total, 'entry', 'entries')}`}</span>
          <span>${absolute(data.until, { seconds: false })}</span>
        </p>
      </div>`;
  }
}

function bar(bucket, sum, most, x, wide) {
  if (!sum) return nothing;
  // What there is can be seen, however little.
  const high = Math.max(3, (sum / most) * HEIGHT);
  let y = HEIGHT;
  return ['info', 'warning', 'error'].map((severity) => {
    if (!bucket[severity]) return nothing;
    const part = Math.max(severity === 'info' ? 0 : 2, (bucket[severity] / sum) * high);
    y -= part;
    return svg`<rect class=${severity} x=${x + wide * 0.1} y=${Math.max(0, y)} width=${wide * 0.8} height=${part}></rect>`;
  });
}

customElements.define('time-histogram', TimeHistogram);
