import {inOrder, type ProfileEvent} from './events';

/** A complete event of the Trace Event Format ("ph": "X"), in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly cat: string;
  readonly ph: 'X';
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
}

const laneNames = ['JavaScript', 'graviton predictAsync'];

/**
 * JSON text that chrome://tracing and ui.perfetto.dev open. Times count from the first event.
 * Source: "Trace Event Format" (Chromium project), sections "Complete events" and "Metadata events".
 */
export function chromeTrace(events: readonly ProfileEvent[]): string {
  const sorted = inOrder(events);
  const firstNs = sorted.reduce((first, {beginNs}) => Math.min(first, beginNs), Number.POSITIVE_INFINITY);
  const pid = process.pid;
  const lanes = [...new Set(sorted.map(({lane}) => lane))];
  const names = lanes.map((lane) => ({name: 'thread_name', ph: 'M', pid, tid: lane, args: {name: laneNames[lane] ?? `lane ${lane}`}}));
  const complete = sorted.map(
    ({name, kind, lane, beginNs, endNs}): TraceEvent => ({
      name,
      cat: kind,
      ph: 'X',
      ts: (beginNs - firstNs) / 1000,
      dur: (endNs - beginNs) / 1000,
      pid,
      tid: lane,
    }),
  );
  return JSON.stringify({displayTimeUnit: 'ns', traceEvents: [...names, ...complete]});
}
