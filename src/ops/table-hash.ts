import {ops} from './index';
import {scalarNames} from './pointwise';

/** FNV-1a (Fowler, Noll, Vo) over the table's text: an addon built from another table must not be loaded. */
export function tableHash(): number {
  const text = JSON.stringify([ops, scalarNames]);
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}
