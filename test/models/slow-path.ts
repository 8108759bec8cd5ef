import type {ExplainedStep} from '../../src/index';

/** Products with a constant that is no one matrix for all batches, so that B is read where it lies: Reformer's hashes have one for each head. */
const plain: Readonly<Record<string, RegExp>> = {'reformer-tiny': /^MatMul \[4x48x12x6\]$/};

export const isProduct = ({op}: ExplainedStep): boolean => op === 'MatMul' || op === 'Conv2D';

/** Why a product or convolution of `model` does not take the inner loop that is meant for it; undefined where it does. */
export function slowPathOf(
  {label, size, fallback, microKernel = 'none'}: ExplainedStep,
  model: string,
  fpmath: string,
): string | undefined {
  const step = `${label} [${size}]`;
  if (fallback !== undefined) return `${step} runs on tfjs-backend-cpu`;
  if ((microKernel === 'plain' || microKernel === 'none') && !plain[model]?.test(step)) return `${step}: micro-kernel ${microKernel}`;
  return fpmath === 'bf16' && microKernel === 'packed fp32' ? `${step} stays in fp32` : undefined;
}
