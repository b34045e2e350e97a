// What is looked for: named as the daemon names it, in the address, in requests and in subscriptions.

import { counted } from './element.js';

const LEFT_OUT = ['not_category', 'not_severity', 'not_actor', 'not_action', 'not_entity_type', 'not_entity_id'];
export const FIELDS = [
  'q', 'category', 'severity', 'actor', 'action', 'entity_type', 'entity_id', ...LEFT_OUT, 'since', 'until', 'workspace_id',
];
/** Those that take several values. */
export const SEVERAL = new Set(['category', 'severity', ...LEFT_OUT]);
/** Those whose values are words, so that commas are between them. */
const WORDS = new Set(['category', 'severity', 'not_category', 'not_severity']);

export const NAMES = {
  q: 'text',
  category: 'category',
  severity: 'severity',
  actor: 'actor',
  action: 'action',
  entity_type: 'entity type',
  entity_id: 'entity',
  since: 'since',
  until: 'until',
  workspace_id: 'workspace',
};
for (const field of LEFT_OUT) NAMES[field] = `not ${NAMES[field.slice(4)]}`;

/** The filters in an address: an object of lists of texts. */
export function read(params) {
  const filters = {};
  for (const field of FIELDS) {
    const values = params.getAll(field).flatMap((value) => (WORDS.has(field) ? value.split(',') : [value]));
    const kept = [...new Set(values.filter(Boolean))];
    if (kept.length) filters[field] = SEVERAL.has(field) ? kept : kept.slice(-1);
  }
  return filters;
}

export function query(filters, more = {}) {
  const params = new URLSearchParams();
  for (const field of FIELDS) for (const value of filters[field] ?? []) params.append(field, value);
  for (const [name, value] of Object.entries(more)) if (value !== undefined && value !== null) params.set(name, value);
  return params.toString();
}

/** The filters with one value more, or without it when it is there. */
export function toggled(filters, field, value) {
  const held = filters[field] ?? [];
  const values = held.includes(value)
    ? held.filter((one) => one !== value)
    : SEVERAL.has(field) ? [...held, value] : [value];
  const { [field]: _, ...rest } = filters;
  return values.length ? { ...rest, [field]: values } : rest;
}

export const without = (filters, ...fields) =>
  Object.fromEntries(Object.entries(filters).filter(([field]) => !fields.includes(field)));

export const count = (filters) => Object.keys(without(filters, 'workspace_id')).length;

/** In words, for a page that finds nothing. */
export function inWords(filters) {
  const said = Object.entries(filters).map(([field, values]) => `${NAMES[field]} ${values.join(' or ')}`);
  return said.length > 3 ? counted(said.length, 'filter') : said.join(', ');
}
