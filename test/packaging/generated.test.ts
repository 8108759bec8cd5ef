import {readFileSync} from 'node:fs';
import {expect} from 'chai';
import {generate, generateWriters} from '../../src/ops/generate';

describe('generated files', () => {
  it('csrc/core/ops.gen.h is what npm run generate prints', () => {
    expect(readFileSync('csrc/core/ops.gen.h', 'utf8')).to.equal(generate());
  });

  it('src/ops/writers.gen.ts is what npm run generate prints', () => {
    expect(readFileSync('src/ops/writers.gen.ts', 'utf8')).to.equal(generateWriters());
  });
});
