import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {expect} from 'chai';
import {changesOf} from '../../bench/compare';
import {limitOf} from '../../bench/limits';
import {joined, reportHtml, type Saved} from '../../bench/report';
import {metricsOf, type Result, ratiosOf} from '../../bench/results';
import {commandLine} from '../../bench/run';
import {geometricMean, quantile} from '../../bench/statistics';
import {feedOf, inMemory, inputsOf, isFolder, modelNames, root, suites} from '../../bench/topology';
import {workOf} from '../../bench/work';
import {loadGraphModel, systemInfo} from '../../src/index';

const measured = (ms: number) => ({ms, quartiles: [0.9 * ms, 1.1 * ms] as const, runs: 30, peakGB: 0.5, coldMs: 10 * ms});
const result = (folder: string, times: Record<string, number>): Result => ({
  folder,
  byRuntime: Object.fromEntries(Object.entries(times).map(([name, ms]) => [name, measured(ms)])),
  failures: {},
});
const encoderAndStep = {suite: 'hf', name: 't5-small', folders: ['t5-small-encoder', 't5-small-decoder-past']};

describe('npm run bench', () => {
  describe('command line', () => {
    const parse = (...args: string[]) => {
      const command = commandLine(systemInfo())
        .exitOverride()
        .configureOutput({writeErr: () => undefined});
      return command.parse(['--suite', 'hf', ...args], {from: 'user'}).opts();
    };
    it('takes lists and numbers', () => {
      const options = parse('--mode', 'compile', '--peers', 'onnxruntime,wasm,cpu', '--fpmath', 'bf16', '--threads', '1');
      expect(options).to.deep.include({mode: ['compile'], peers: ['onnxruntime', 'wasm', 'cpu'], fpmath: 'bf16', threads: 1});
    });
    for (const args of [
      ['--peers', 'tensorrt'],
      ['--mode', 'fast'],
      ['--metrics', 'joules'],
      ['--threads', '0'],
      ['--fpmath', 'fp8'],
    ])
      it(`refuses ${args.join(' ')}`, () => expect(() => parse(...args)).to.throw(/known are|a number above 0|Allowed choices/));
  });

  it('takes order statistics', () => {
    expect(quantile([5, 1, 3, 2, 4], 0.5)).to.equal(3);
    expect(quantile([5, 1, 3, 2, 4], 0.25)).to.equal(2);
    expect(geometricMean([0.5, 2])).to.be.closeTo(1, 1e-12);
  });

  it('counts a model of parts once, by the sum of their latencies', () => {
    const results = new Map([
      ['t5-small-encoder', result('t5-small-encoder', {compile: 1, onnxruntime: 4})],
      ['t5-small-decoder-past', result('t5-small-decoder-past', {compile: 2, onnxruntime: 2})],
    ]);
    expect(ratiosOf([encoderAndStep], results, 'compile', 'onnxruntime')).to.deep.equal([{name: 't5-small', ratio: 0.5}]);
  });

  it("names metrics as TorchBench does, a part by its folder's name", () => {
    const results = new Map([
      ['resnet50', result('resnet50', {compile: 3, eager: 6})],
      ['t5-small-encoder', result('t5-small-encoder', {compile: 1})],
    ]);
    const entries = [{suite: 'torchbench', name: 'resnet50', folders: ['resnet50']}, encoderAndStep];
    expect(metricsOf(entries, results, ['latencies', 'cpu_peak_mem'])).to.include({
      'resnet50-eval_latency': 3,
      'resnet50-eager-eval_latency': 6,
      'resnet50-eval_cmem': 0.5,
      't5-small-encoder-eval_latency': 1,
    });
    expect(metricsOf(entries, results, ['cpu_peak_mem'])).to.not.have.property('resnet50-eval_latency');
  });

  it("takes the larger of the two limits, and small weights at the cache's rate", () => {
    const machine = {
      gflops: 200,
      bandwidth: [
        {bytes: 1e6, gbPerS: 100},
        {bytes: 1e8, gbPerS: 20},
      ],
    };
    expect(limitOf({flops: 4e9, weightBytes: 1e6}, machine)).to.deep.equal({ms: 20, by: 'multiply-adds'});
    expect(limitOf({flops: 0, weightBytes: 1e6}, machine)).to.deep.equal({ms: 0.01, by: 'memory'});
    expect(limitOf({flops: 0, weightBytes: 4e8}, machine)).to.deep.equal({ms: 20, by: 'memory'});
  });

  it('compares two runs, and calls a change one where the quartiles part', () => {
    const run = (latency: number, memory: number) => ({
      environ: {},
      metrics: {
        'a-eval_latency': latency,
        'a-eval_latency_q25': 0.95 * latency,
        'a-eval_latency_q75': 1.05 * latency,
        'a-eval_cmem': memory,
      },
    });
    const verdicts = (before: [number, number], after: [number, number]) =>
      Object.fromEntries(changesOf(run(...before), run(...after)).map(({metric, verdict}) => [metric, verdict]));
    expect(verdicts([10, 1], [5, 1.01])).to.deep.equal({'a-eval_latency': 'faster', 'a-eval_cmem': ''});
    expect(verdicts([10, 1], [10.5, 1.5])).to.deep.equal({'a-eval_latency': '', 'a-eval_cmem': 'more'});
    expect(verdicts([10, 1], [20, 0.5])).to.deep.equal({'a-eval_latency': 'slower', 'a-eval_cmem': 'less'});
  });

  it('draws a report that needs no network', () => {
    const save = (results: Result[]): Saved => ({
      environ: {git: 'abc', limits: {gflops: 200, bandwidth: [{bytes: 2 ** 20, gbPerS: 50}]}},
      entries: [{suite: 'torchbench', name: 'resnet<50>', folders: ['resnet<50>']}],
      peers: ['onnxruntime'],
      results,
    });
    const fast = {...result('resnet<50>', {eager: 8, compile: 4, onnxruntime: 5}), work: {flops: 6e8, weightBytes: 0}};
    const slow = result('resnet<50>', {eager: 8, compile: 16, onnxruntime: 5});
    const html = reportHtml(joined([save([slow]), save([fast])]));
    expect(html.match(/<svg/g), 'speed-up, peer, share of the limit').to.have.length(3);
    expect(html).to.include('>75 %<').and.include('compile ÷ onnxruntime').and.include('0.800');
    expect(html).to.not.include('resnet<50>');
    expect(html.replaceAll('http://www.w3.org/', '')).to.not.match(/https?:|<script|<link|@import/);
  });

  describe('models', () => {
    it('has a topology for each of the 33 and 45 names', () => {
      const {hf, hfDetail, torchbench} = suites();
      expect(hf).to.have.length(33);
      expect(Object.keys(torchbench)).to.have.length(45);
      const known = new Set(modelNames());
      const folders = [...hf.flatMap((name) => hfDetail[name]?.folders ?? [name]), ...Object.values(torchbench)];
      expect(folders.filter((folder) => !known.has(folder) && !isFolder(folder))).to.deep.equal([]);
    });

    it('takes the set that suites.json names', () => {
      const [ids] = inputsOf('bert-base-qa');
      expect(ids?.shape).to.deep.equal([1, 128]);
      expect(inputsOf('bert-base-qa', {set: 'b1s32'})[0]?.shape).to.deep.equal([1, 32]);
      expect(inputsOf('bert-base-qa', {sequence: 7})[0]?.shape).to.deep.equal([1, 7]);
    });

    it('counts multiply-adds and weights', async () => {
      await tf.setBackend('graviton');
      const model = await loadGraphModel(inMemory('phlippe-resnet'));
      const feed = feedOf(inputsOf('phlippe-resnet'));
      const {flops, weightBytes} = await workOf('phlippe-resnet', model, feed);
      tf.dispose(feed);
      model.dispose();
      // Three stages of three blocks on 32, 16 and 8 pixels, 16, 32 and 64 wide: nearly the 40.6 million multiply-adds of a ResNet-20.
      expect(flops / 2e6).to.be.within(40, 42);
      expect(weightBytes / 4e3).to.be.within(270, 280);
    });
  });

  it('measures a model in processes of its own', function () {
    this.timeout(120_000);
    const args = ['--suite', 'phlippe_resnet', '--seconds', '0.5', '--runs', '3', '--peers', 'cpu', '--threads', '1'];
    const text = execFileSync(process.execPath, [join(root, 'build/ts/bench/run.js'), ...args], {encoding: 'utf8', stdio: 'pipe'});
    const file = text.match(/\S+\.json/)?.[0] as string;
    const {name, environ, metrics} = JSON.parse(readFileSync(file, 'utf8'));
    expect(name).to.equal('cpu');
    expect(environ).to.include({threads: 1, fpmath: 'fp32'});
    for (const runtime of ['', '-eager', '-cpu']) {
      expect(metrics[`phlippe_resnet${runtime}-eval_latency`]).to.be.above(0);
      expect(metrics[`phlippe_resnet${runtime}-eval_cmem`]).to.be.within(0.01, 2);
    }
    expect(readFileSync(file.replace('.json', '.html'), 'utf8')).to.include('phlippe-resnet');
  });
});
