// Asking the daemon. What it refuses is a Problem, which says what was wrong and where.

import { signal } from './element.js';

/** Who is signed in: undefined until it is known, null when nobody is. */
export const me = signal(undefined);

export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail || body?.title || (status ? `The daemon answered ${status}` : 'The daemon does not answer'));
    this.status = status;
    this.errors = body?.errors ?? [];
  }

  /** It did not come from the daemon: it is gone, or the network is. */
  get isSilence() {
    return this.status === 0;
  }
}

const API = '/api/v1';

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, signal?: AbortSignal, headers?: Record<string, string> }} [options]
 */
export async function fetched(method, path, { body, signal: cut, headers = {} } = {}) {
  let answer;
  try {
    answer = await fetch(path.startsWith('/api') ? path : API + path, {
      method,
      signal: cut,
      headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0);
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => null);
  if (answer.status === 401) me.value = null;
  throw new Problem(answer.status, said);
}

export async function ask(method, path, options) {
  const answer = await fetched(method, path, options);
  return answer.status === 204 ? null : answer.json();
}

export const get = (path, cut) => ask('GET', path, { signal: cut });

export async function whoAmI() {
  try {
    me.value = await get('/auth/me');
  } catch (problem) {
    if (problem.status !== 401) throw problem;
    me.value = null;
  }
}

export const may = (scope) => Boolean(me.value?.scopes?.includes(scope));
export const isOperator = () => may('admin') && me.value?.workspace_id === '*';

/** What a line for a shell needs to be let in as well. */
export const letIn = () => (me.value?.kind === 'anonymous' ? '' : ` -H "Authorization: Bearer $DAYBOOK_KEY"`);
