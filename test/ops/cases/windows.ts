/** Windows that slide over NHWC images, for the rows of Conv2D, DepthwiseConv2D and Pool2D. */

/** The parameters that these ops share (src/ops/convolution.ts). */
export interface Image {
  readonly batch: number;
  readonly inH: number;
  readonly inW: number;
  readonly inC: number;
  readonly outH: number;
  readonly outW: number;
  readonly outC: number;
  readonly filterH: number;
  readonly filterW: number;
  readonly strideH: number;
  readonly strideW: number;
  readonly padTop: number;
  readonly padLeft: number;
  readonly dilationH: number;
  readonly dilationW: number;
  readonly xBatch: number;
  readonly xRow: number;
  readonly xCol: number;
  readonly yBatch: number;
  readonly yRow: number;
  readonly yCol: number;
}

const outSize = (size: number, pads: number, taps: number, dilation: number, stride: number): number =>
  taps === 0 ? 0 : Math.max(0, Math.floor((size + pads - dilation * (taps - 1) - 1) / stride) + 1);

/** Dense images and, unless given, the output size that as much padding after as before leaves. */
export function image(change: Partial<Image> = {}): Image {
  // biome-ignore format: one line for each operand
  const base = {
    batch: 1, inH: 6, inW: 5, inC: 3, outC: change.inC ?? 3, filterH: 3, filterW: 3, strideH: 1, strideW: 1,
    padTop: 0, padLeft: 0, dilationH: 1, dilationW: 1, ...change,
  };
  const {inH, inW, inC, outC, padTop, padLeft} = base;
  const outH = change.outH ?? outSize(inH, 2 * padTop, base.filterH, base.dilationH, base.strideH);
  const outW = change.outW ?? outSize(inW, 2 * padLeft, base.filterW, base.dilationW, base.strideW);
  const strides = {xCol: inC, xRow: inC * inW, xBatch: inC * inW * inH, yCol: outC, yRow: outC * outW, yBatch: outC * outW * outH};
  return {...base, outH, outW, ...strides, ...change};
}

export const outElems = (p: Image): number => p.batch * p.outH * p.outW * p.outC;

/** Calls `pixel` for each (n, h, w) with y's offset of it and the taps of its window that lie inside: [tap, x's offset]. */
export function forWindows(p: Image, pixel: (y: number, taps: readonly (readonly [number, number])[]) => void): void {
  const reach = p.inH + p.inW + p.padTop + p.padLeft; // taps from here on are outside
  for (let n = 0; n < p.batch; n++) {
    for (let h = 0; h < p.outH; h++) {
      for (let w = 0; w < p.outW; w++) {
        const taps: (readonly [number, number])[] = [];
        for (let i = 0; i < Math.min(p.filterH, reach); i++) {
          for (let j = 0; j < Math.min(p.filterW, reach); j++) {
            const row = h * p.strideH - p.padTop + i * p.dilationH;
            const col = w * p.strideW - p.padLeft + j * p.dilationW;
            if (row < 0 || col < 0 || row >= p.inH || col >= p.inW) continue;
            taps.push([i * p.filterW + j, n * p.xBatch + row * p.xRow + col * p.xCol]);
          }
        }
        pixel(n * p.yBatch + h * p.yRow + w * p.yCol, taps);
      }
    }
  }
}

/** Short enough for a test's name: what differs from the default window. */
export function nameOf(change: object): string {
  const words = Object.entries(change).map(([name, value]) => `${name} ${value}`);
  return words.length === 0 ? 'plain' : words.join(', ');
}
