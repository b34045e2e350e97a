// What the page uses of it, for the checker of types alone; the browser never sees this.

import type { Template } from './lit-element.js';

export function repeat<T>(items: T[], key: (item: T) => unknown, drawn: (item: T, index: number) => Template): unknown;
