import type {ExplainedStep} from '../../src/index';

export const isProduct = ({op}: ExplainedStep): boolean => op === 'MatMul' || op === 'Conv2D';

/** Why a product or convolution does not take the inner loop that is meant for it; undefined where it does. */
export function slowPathOf({label, size, fallback, microKernel = 'none'}: ExplainedStep, fpmath: string): string | undefined {
  const step = `${label} [${size}]`;
  if (fallback !== undefined) return `${step} runs on tfjs-backend-cpu`;
  if (microKernel === 'plain' || microKernel === 'none') return `${step}: micro-kernel ${microKernel}`;
  return fpmath === 'bf16' && microKernel === 'packed fp32' ? `${step} stays in fp32` : undefined;
}
