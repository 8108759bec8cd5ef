/** Models of one node in ONNX's format: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, of which a node needs so little that a
 * protobuf package would be longer. */

/** Element types by their number in TensorProto.DataType. */
export const onnxTypes = {float32: 1, int32: 6, int64: 7, bool: 9} as const;
export type OnnxType = keyof typeof onnxTypes;

export interface OnnxValue {
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Little-endian elements. */
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array;
  /** Part of the model, as weights are, rather than an input. */
  readonly constant?: boolean;
}
/** An integer, integers or a string; `{float: x}` for a number that ONNX declares as such. */
export type OnnxAttribute = number | readonly number[] | string | {readonly float: number};

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly OnnxValue[];
  readonly attributes?: Readonly<Record<string, OnnxAttribute>>;
  /** Left out: 1. */
  readonly outputs?: number;
}

type Bytes = readonly number[];

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}
const integer = (field: number, value: number): Bytes => [...varint(field << 3), ...varint(value)];
const float = (field: number, value: number): Bytes => [...varint((field << 3) | 5), ...new Uint8Array(Float32Array.of(value).buffer)];
const message = (field: number, ...parts: readonly Bytes[]): Bytes => {
  const body = parts.flat();
  return [...varint((field << 3) | 2), ...varint(body.length), ...body];
};
const text = (field: number, value: string): Bytes => message(field, [...Buffer.from(value)]);

function attribute(name: string, value: OnnxAttribute): Bytes {
  const [kind, ...encoded] =
    typeof value === 'number'
      ? [2, integer(3, value)]
      : typeof value === 'string'
        ? [3, text(4, value)]
        : 'float' in value
          ? [1, float(2, value.float)]
          : [7, ...value.map((each) => integer(8, each))];
  return message(5, text(1, name), ...(encoded as Bytes[]), integer(20, kind as number));
}

function constant(name: string, {type, shape, data}: OnnxValue): Bytes {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return message(5, ...shape.map((size) => integer(1, size)), integer(2, onnxTypes[type]), text(8, name), message(9, [...bytes]));
}

function input(name: string, {type, shape}: OnnxValue): Bytes {
  const sizes = shape.map((size) => message(1, integer(1, size)));
  return message(11, text(1, name), message(2, message(1, integer(1, onnxTypes[type]), message(2, ...sizes))));
}

/** The name of a node's input or output. */
export const onnxName = (kind: 'in' | 'out', index: number): string => `${kind}${index}`;

/** A ModelProto: ONNX IR 9, operator set 19. */
export function onnxModel({op, inputs, attributes = {}, outputs = 1}: OnnxNode): Uint8Array {
  const results = Array.from({length: outputs}, (_, i) => onnxName('out', i));
  const node = message(
    1,
    ...inputs.map((_, i) => text(1, onnxName('in', i))),
    ...results.map((name) => text(2, name)),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );
  const graph = message(
    7,
    node,
    text(2, op),
    ...inputs.map((value, i) => (value.constant ? constant : input)(onnxName('in', i), value)),
    ...results.map((name) => message(12, text(1, name))),
  );
  return Uint8Array.from([...integer(1, 9), ...graph, ...message(8, text(1, ''), integer(2, 19))]);
}
