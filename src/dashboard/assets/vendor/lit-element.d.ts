// What the page uses of it, for the checker of types alone; the browser never sees this.

export type Template = { readonly _template: unique symbol };
export function html(strings: TemplateStringsArray, ...values: unknown[]): Template;
export function svg(strings: TemplateStringsArray, ...values: unknown[]): Template;
export const nothing: unique symbol;

export class LitElement extends HTMLElement {
  static properties: Record<string, object>;
  // Declared by `properties`, which the checker cannot read.
  [declared: string]: any;
  readonly isUpdatePending: boolean;
  readonly updateComplete: Promise<boolean>;
  requestUpdate(): void;
  performUpdate(): void;
  connectedCallback(): void;
  disconnectedCallback(): void;
  createRenderRoot(): HTMLElement | DocumentFragment;
  render(): unknown;
  querySelector(selectors: string): any;
}
