/**
 * What compile() makes of each test model: golden.txt has the steps of the first plan, by label, so that a change of the compiler shows what
 * it changes. `npm run golden` writes it anew; a commit that changes it shows the difference.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {packageRoot} from '../../src/binary';
import {compile, type ExplainedPlan, loadGraphModel} from '../../src/index';
import {Fixture, type InputSet, modelNames} from './fixture';

const file = join(packageRoot(), 'test', 'models', 'golden.txt');

/** 'N steps', then one line for each kind of step. Winograd's form depends on the processor, and is left out. */
export function planText(plan: ExplainedPlan | undefined): string {
  if (plan === undefined || plan.eager !== undefined) return `  runs eagerly: ${plan?.eager}`;
  const counts = new Map<string, number>();
  for (const {label, alone} of plan.steps) {
    const kind = `${label.replace(/\+Winograd F\([^)]*\)/, '')}${alone === undefined ? '' : ` (alone: ${alone})`}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const lines = [...counts].map(([kind, count]) => `  ${String(count).padStart(4)} x ${kind}`);
  const guards = (plan.guards ?? []).map((guard) => `  reads ${guard}`);
  const tails = (plan.tails ?? []).map((tail) => `  then eagerly: ${tail}`);
  return [`  ${plan.steps.length} steps`, ...lines, ...guards, ...tails].join('\n');
}

/** The golden texts by model. */
export function goldenTexts(): Map<string, string> {
  const sections = readFileSync(file, 'utf8').split(/^(?=\S)/m);
  return new Map(
    sections.map((section): [string, string] => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end + 1).trimEnd()];
    }),
  );
}

async function write(): Promise<void> {
  console.warn = () => undefined;
  await tf.setBackend('graviton');
  const sections: string[] = [];
  for (const name of modelNames) {
    const fixture = new Fixture(name);
    const model = await loadGraphModel(fixture.handler());
    const runner = compile(model);
    const set = fixture.sets[0] as InputSet;
    await runner.executeAsync(fixture.feed(set), fixture.outputNodes(set));
    sections.push(`${name}\n${planText(runner.explain().plans[0])}\n`);
    runner.dispose();
    model.dispose();
  }
  writeFileSync(file, sections.join(''));
}

if (require.main === module) void write();
