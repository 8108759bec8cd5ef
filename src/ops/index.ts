import {Conv2D, CropAndResize, DepthwiseConv2D, ExpandDepthwiseConv2D, Pool2D, Resize2D, Resize2DGrad, Transform} from './convolution';
import {Attention, MatMul, PackWeights, UnpackWeights} from './linear';
import {Concat, Diag, Fill, Gather, GatherNd, OneHot, Pad, Ramp, Scatter, StridedCopy} from './movement';
import {Pointwise} from './pointwise';
import {DecodeWeights} from './quantization';
import {Recurrence} from './recurrence';
import {ArgReduce, Cumulative, Normalize, Reduce, Softmax, TopK} from './reduction';
import type {OpSpec} from './schema';
import {BroadcastArgs, NonMaxSuppression, SearchSorted, Unique} from './search';
import {Fft, WindowSum} from './spectrum';
import {DepthwiseFilterGrad, Fold, Unfold, WindowMax} from './windows';

/** The op table. Order = wire number. Append only within a release: the addon and this list are checked against each other by hash. */
export const ops: readonly OpSpec[] = [
  Pointwise,
  MatMul,
  PackWeights,
  Attention,
  Conv2D,
  DepthwiseConv2D,
  Pool2D,
  Resize2D,
  Reduce,
  ArgReduce,
  Softmax,
  Normalize,
  Cumulative,
  TopK,
  StridedCopy,
  Concat,
  Pad,
  Fill,
  Gather,
  GatherNd,
  OneHot,
  DecodeWeights,
  UnpackWeights,
  Scatter,
  Unfold,
  Fold,
  WindowMax,
  DepthwiseFilterGrad,
  Resize2DGrad,
  CropAndResize,
  Transform,
  SearchSorted,
  Unique,
  NonMaxSuppression,
  BroadcastArgs,
  Fft,
  WindowSum,
  Recurrence,
  ExpandDepthwiseConv2D,
  Ramp,
  Diag,
];
