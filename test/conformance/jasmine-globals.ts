/** The part of Jasmine that tfjs-core's suite uses, on mocha: matchers, spies, pending, and `done` in hooks and specs. */
import {inspect, isDeepStrictEqual} from 'node:util';

type Fn = (this: Mocha.Context, ...args: unknown[]) => unknown;
interface Matchable {
  asymmetricMatch(value: unknown): boolean;
}
const isMatchable = (x: unknown): x is Matchable => typeof x === 'object' && x !== null && 'asymmetricMatch' in x;
const equals = (actual: unknown, wanted: unknown): boolean =>
  isMatchable(wanted) ? wanted.asymmetricMatch(actual) : isDeepStrictEqual(actual, wanted);

/** Jasmine runs a function that takes an argument until it calls it; mocha would do so too, but without done.fail. */
function adapted(fn: Fn, begin: (context: Mocha.Context) => void): Fn {
  if (fn.length === 0)
    return function () {
      begin(this);
      return fn.call(this);
    };
  return function () {
    begin(this);
    return new Promise<void>((resolve, reject) => {
      const done = Object.assign(() => resolve(), {
        fail: (reason: unknown) => reject(reason instanceof Error ? reason : new Error(String(reason ?? 'done.fail'))),
      });
      Promise.resolve(fn.call(this, done)).catch(reject);
    });
  };
}

interface Calls {
  all: unknown[][];
}
type Spy = Fn & {calls: unknown; and: unknown};

function createSpy(original: Fn = () => undefined): Spy {
  let behaviour: Fn = () => undefined;
  const calls: Calls = {all: []};
  const spy = function (this: Mocha.Context, ...args: unknown[]) {
    calls.all.push(args);
    return behaviour.apply(this, args);
  } as Spy;
  const becomes = (next: Fn) => {
    behaviour = next;
    return spy;
  };
  spy.calls = {
    all: () => calls.all,
    count: () => calls.all.length,
    reset: () => calls.all.splice(0),
    first: () => ({args: calls.all[0]}),
    mostRecent: () => ({args: calls.all.at(-1)}),
    argsFor: (i: number) => calls.all[i],
    allArgs: () => calls.all,
  };
  spy.and = {
    callThrough: () => becomes(original),
    callFake: becomes,
    returnValue: (value: unknown) => becomes(() => value),
    stub: () => becomes(() => undefined),
  };
  return spy;
}

const callsOf = (spy: unknown): unknown[][] => (spy as {calls: {allArgs(): unknown[][]}}).calls.allArgs();

/** toThrowError's arguments: a message, a pattern, an error class, or a class and one of the others. */
const isWanted = (error: unknown, wanted: readonly unknown[]): boolean =>
  error instanceof Error &&
  wanted.every((w) => {
    if (w === undefined) return true;
    if (typeof w === 'string') return error.message === w;
    return w instanceof RegExp ? w.test(error.message) : error instanceof (w as typeof Error);
  });

function thrownBy(fn: () => unknown): {error: unknown} | undefined {
  try {
    fn();
  } catch (error) {
    return {error};
  }
  return undefined;
}

type Matcher = (actual: never, ...wanted: never[]) => boolean;
const matchers: Readonly<Record<string, Matcher>> = {
  toEqual: equals,
  toBe: (a: unknown, b: unknown) => Object.is(a, b) || a === b,
  toBeNull: (a: unknown) => a === null,
  toBeUndefined: (a: unknown) => a === undefined,
  toBeDefined: (a: unknown) => a !== undefined,
  toBeTruthy: (a: unknown) => Boolean(a),
  toBeFalsy: (a: unknown) => !a,
  toBeTrue: (a: unknown) => a === true,
  toBeFalse: (a: unknown) => a === false,
  toBeNaN: (a: unknown) => Number.isNaN(a),
  toBeCloseTo: (a: number, b: number, digits: number = 2) => Math.abs(a - b) < 10 ** -digits / 2,
  toBeLessThan: (a: number, b: number) => a < b,
  toBeGreaterThan: (a: number, b: number) => a > b,
  toBeLessThanOrEqual: (a: number, b: number) => a <= b,
  toBeGreaterThanOrEqual: (a: number, b: number) => a >= b,
  toMatch: (a: string, b: RegExp | string) => new RegExp(b).test(a),
  toContain: (a: unknown[], b: unknown) => a.includes(b),
  toBeInstanceOf: (a: unknown, b: typeof Object) => a instanceof b,
  toHaveBeenCalled: (spy: unknown) => callsOf(spy).length > 0,
  toHaveBeenCalledTimes: (spy: unknown, times: number) => callsOf(spy).length === times,
  toHaveBeenCalledWith: (spy: unknown, ...args: unknown[]) => callsOf(spy).some((call) => isDeepStrictEqual(call, args)),
  toThrow: (fn: () => unknown, ...wanted: unknown[]) => {
    const thrown = thrownBy(fn);
    return thrown !== undefined && (wanted.length === 0 || equals(thrown.error, wanted[0]));
  },
  toThrowError: (fn: () => unknown, ...wanted: unknown[]) => {
    const thrown = thrownBy(fn);
    return thrown !== undefined && isWanted(thrown.error, wanted);
  },
};

const short = (x: unknown): string => inspect(x, {depth: 3}).slice(0, 200);

function expectation(actual: unknown, negated: boolean): Record<string, unknown> {
  const object: Record<string, unknown> = {nothing: () => undefined, withContext: () => object};
  for (const [name, matcher] of Object.entries(matchers)) {
    object[name] = (...wanted: unknown[]) => {
      if ((matcher as (...all: unknown[]) => boolean)(actual, ...wanted) === negated)
        throw new Error(`expected ${short(actual)} ${negated ? 'not ' : ''}${name} ${wanted.map(short).join(', ')}`);
    };
  }
  return object;
}

function expectAsync(promise: Promise<unknown>): Record<string, (...wanted: unknown[]) => Promise<void>> {
  const outcome = promise.then(
    () => undefined,
    (error: unknown) => ({error}),
  );
  return {
    async toBeResolved() {
      await promise;
    },
    async toBeRejected() {
      if ((await outcome) === undefined) throw new Error('expected a rejection');
    },
    async toBeRejectedWithError(...wanted: unknown[]) {
      const rejected = await outcome;
      if (rejected === undefined || !isWanted(rejected.error, wanted))
        throw new Error(`expected a rejection, got ${short(rejected?.error)}`);
    },
  };
}

const anyOf = (type: new () => unknown): Matchable => ({
  asymmetricMatch: (x) => x instanceof type || typeof x === type.name.toLowerCase(),
});
const arrayWithExactContents = (wanted: unknown[]): Matchable => ({
  asymmetricMatch: (x) => Array.isArray(x) && x.length === wanted.length && wanted.every((w) => x.some((y) => isDeepStrictEqual(y, w))),
});

/** Replaces mocha's globals, which must be there already. */
export function installJasmineGlobals(): void {
  const g = globalThis as unknown as Record<string, unknown>;
  const mochaGlobals = {before, after, beforeEach, afterEach, it, describe};
  let current: Mocha.Context | undefined;
  const begin = (context: Mocha.Context) => {
    current = context;
  };
  // A spy lives as long as the hook or spec that made it: those of beforeAll until the suite ends.
  let undo: (() => void)[] = [];
  const undoAll = (actions: (() => void)[]) => {
    for (const action of actions.splice(0).reverse()) action();
  };
  const hook = (mochaHook: (fn: Mocha.Func) => void) => (fn: Fn, timeoutMs?: number) => {
    const run = adapted(fn, begin);
    mochaHook(function (this: Mocha.Context) {
      if (timeoutMs) this.timeout(timeoutMs);
      return run.call(this) as PromiseLike<unknown>;
    });
  };
  g.beforeAll = (fn: Fn, timeoutMs?: number) => {
    const mine: (() => void)[] = [];
    hook(mochaGlobals.before)(async function (this: Mocha.Context) {
      const outer = undo;
      undo = mine;
      await adapted(fn, begin).call(this);
      undo = outer;
    }, timeoutMs);
    mochaGlobals.after(() => undoAll(mine));
  };
  g.afterAll = hook(mochaGlobals.after);
  g.beforeEach = hook(mochaGlobals.beforeEach);
  g.afterEach = hook(mochaGlobals.afterEach);
  mochaGlobals.afterEach(() => undoAll(undo));
  // mocha's it.skip calls the global `it` without a function.
  const spec = (name: string, fn?: Fn, timeoutMs?: number) => {
    const test = fn === undefined ? mochaGlobals.it(name) : mochaGlobals.it(name, adapted(fn, begin) as Mocha.Func);
    if (timeoutMs) test.timeout(timeoutMs);
    return test;
  };
  g.it = Object.assign(spec, {skip: mochaGlobals.it.skip, only: mochaGlobals.it.only});
  g.xit = (name: string) => mochaGlobals.it.skip(name, () => undefined);
  g.xdescribe = mochaGlobals.describe.skip;
  g.fit = mochaGlobals.it.only;
  g.fdescribe = mochaGlobals.describe.only;
  g.pending = () => current?.skip();
  g.fail = (reason: unknown) => {
    throw reason instanceof Error ? reason : new Error(String(reason ?? 'fail()'));
  };
  g.spyOn = (object: Record<string, Fn>, name: string) => {
    const own = Object.hasOwn(object, name);
    const original = object[name] as Fn;
    const spy = createSpy(original);
    object[name] = spy;
    undo.push(() => {
      if (own) object[name] = original;
      else delete object[name];
    });
    return spy;
  };
  g.jasmine = {DEFAULT_TIMEOUT_INTERVAL: 20000, createSpy: () => createSpy(), any: anyOf, arrayWithExactContents};
  g.expect = (actual: unknown) => Object.assign(expectation(actual, false), {not: expectation(actual, true)});
  g.expectAsync = expectAsync;
}
