// What the page uses of it, for the checker of types alone; the browser never sees this.

/** What somebody typed into a field counts as its value. */
export function live(value: unknown): unknown;
