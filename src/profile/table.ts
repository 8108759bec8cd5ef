import {errors} from '../errors';
import {inOrder, type ProfileEvent} from './events';

/** Names of torch.profiler, which users of this table know. */
export const sortKeys = ['self_cpu_time_total', 'cpu_time_total', 'cpu_time', 'count', 'name'] as const;
export type SortKey = (typeof sortKeys)[number];

export interface TableOptions {
  /** Default 'self_cpu_time_total'. Numbers sort from the largest, names from A. */
  readonly sortBy?: SortKey;
  /** Rows to print; default 100. */
  readonly rowLimit?: number;
}

/** All events of one name. */
export interface Row {
  readonly name: string;
  /** Time not spent in nested events. */
  selfNs: number;
  /** With nested events; a call nested in one of the same name counts once. */
  totalNs: number;
  count: number;
}

/** Sums per name over a stack of open events. */
export function rowsOf(events: readonly ProfileEvent[]): Row[] {
  const rows = new Map<string, Row>();
  const open: {event: ProfileEvent; row: Row}[] = [];
  for (const event of inOrder(events)) {
    while (open.length > 0 && !contains((open.at(-1) as {event: ProfileEvent}).event, event)) open.pop();
    const row = rows.get(event.name) ?? {name: event.name, selfNs: 0, totalNs: 0, count: 0};
    rows.set(event.name, row);
    const ns = event.endNs - event.beginNs;
    row.count++;
    row.selfNs += ns;
    if (!open.some((outer) => outer.row === row)) row.totalNs += ns;
    const outer = open.at(-1);
    if (outer !== undefined) outer.row.selfNs -= ns;
    open.push({event, row});
  }
  return [...rows.values()];
}

const contains = (outer: ProfileEvent, inner: ProfileEvent) => outer.lane === inner.lane && inner.endNs <= outer.endNs;

const order: Record<SortKey, (a: Row, b: Row) => number> = {
  self_cpu_time_total: (a, b) => b.selfNs - a.selfNs,
  cpu_time_total: (a, b) => b.totalNs - a.totalNs,
  cpu_time: (a, b) => b.totalNs / b.count - a.totalNs / a.count,
  count: (a, b) => b.count - a.count,
  name: (a, b) => (a.name < b.name ? -1 : 1),
};

function time(ns: number): string {
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(3)}s`;
  return ns >= 1e6 ? `${(ns / 1e6).toFixed(3)}ms` : `${(ns / 1e3).toFixed(3)}us`;
}

const head = ['Name', 'Self CPU %', 'Self CPU', 'CPU total %', 'CPU total', 'CPU time avg', '# of Calls'];

/**
 * torch.profiler's table of CPU times. cli-table3 draws it: it aligns, measures wide characters and prints without colour; console-table-printer always
 * writes escape codes, `table` brings a JSON schema validator.
 */
export function renderTable(events: readonly ProfileEvent[], {sortBy = 'self_cpu_time_total', rowLimit = 100}: TableOptions = {}): string {
  if (!sortKeys.includes(sortBy)) throw errors.option('sortBy', String(sortBy), `one of ${sortKeys.join(', ')}`);
  if (!(rowLimit >= 0)) throw errors.option('rowLimit', String(rowLimit), 'a number of rows');
  const rows = rowsOf(events);
  const allNs = rows.reduce((sum, {selfNs}) => sum + selfNs, 0);
  const percent = (ns: number) => `${(allNs === 0 ? 0 : (100 * ns) / allNs).toFixed(2)}%`;
  // Loaded here, since most processes never print a table.
  const Table = require('cli-table3') as typeof import('cli-table3');
  const table = new Table({
    head,
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: {head: [], border: [], compact: true},
    chars: {
      ...{'top-left': '', 'top-right': '', 'bottom-left': '', 'bottom-right': '', left: '', 'left-mid': '', right: '', 'right-mid': ''},
      ...{top: '-', 'top-mid': '  ', mid: '-', 'mid-mid': '  ', bottom: '-', 'bottom-mid': '  ', middle: '  '},
    },
  });
  for (const {name, selfNs, totalNs, count} of rows.sort(order[sortBy]).slice(0, rowLimit)) {
    table.push([name, percent(selfNs), time(selfNs), percent(totalNs), time(totalNs), time(totalNs / count), String(count)]);
  }
  return `${table.toString()}\nSelf CPU time total: ${time(allNs)}\n`;
}
