// What the page uses of it, for the checker of types alone; the browser never sees this.

export interface Signal<T> {
  value: T;
  peek(): T;
  subscribe(told: (value: T) => void): () => void;
}
export function signal<T>(value: T): Signal<T>;
export function computed<T>(of: () => T): { readonly value: T };
export function effect(does: () => void): () => void;
export function batch<T>(does: () => T): T;
export function untracked<T>(does: () => T): T;
