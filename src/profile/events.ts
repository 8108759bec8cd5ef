/** One stretch of time in a profile, in nanoseconds of process.hrtime. */
export interface ProfileEvent {
  /**
   * A tfjs kernel's name, with ' (fallback)' where it ran on tfjs-backend-cpu; or 'graviton::' and a native step's op, or what a plan calls the step, such as
   * 'graviton::MatMul+bias+GeluErf'.
   */
  readonly name: string;
  readonly kind: 'kernel' | 'step';
  /** 0: JavaScript's thread, 1: the thread that runs predictAsync. */
  readonly lane: number;
  readonly beginNs: number;
  readonly endNs: number;
}

/** Events of a lane nest by time: outer ones first, kernels before the steps that they emit. */
export function inOrder(events: readonly ProfileEvent[]): ProfileEvent[] {
  const rank = ({kind}: ProfileEvent) => (kind === 'kernel' ? 0 : 1);
  return [...events].sort((a, b) => a.lane - b.lane || a.beginNs - b.beginNs || b.endNs - a.endNs || rank(a) - rank(b));
}
