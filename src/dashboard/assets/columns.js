// What a list of entries shows of each, and how wide that is.

import { place } from './router.js';
import { preference } from './time.js';

/** The name of each column, and its part of the width. */
export const COLUMNS = {
  time: ['Time', '96px'],
  actor: ['Actor', 'minmax(70px, 1fr)'],
  action: ['Action', 'minmax(90px, 1.3fr)'],
  message: ['Message', 'minmax(120px, 3fr)'],
  entity: ['Entity', 'minmax(60px, 1.2fr)'],
  category: ['Category', '76px'],
  address: ['Address', 'minmax(90px, 1fr)'],
  workspace: ['Workspace', 'minmax(70px, .8fr)'],
};

export const USUAL = 'time,actor,action,message,entity';
const kept = preference('columns', USUAL);

/** Those of an address, else those that one chose last; unknown ones are passed over. */
export const columns = {
  get value() {
    const said = (place.value.params.get('columns') ?? kept.value).split(',').filter((name) => name in COLUMNS);
    return said.length ? [...new Set(said)] : USUAL.split(',');
  },
  set value(names) {
    kept.value = names.join(',');
  },
};
