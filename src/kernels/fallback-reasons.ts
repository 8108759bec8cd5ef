/** Why kernels run on tfjs-backend-cpu: shown in docs/kernels.md. */
const strings = 'strings live in JavaScript';
const dataSized = 'the size of its result depends on elements';
const training = 'used by training only';
const rare = 'no native op yet';

export const fallbackReasons: Readonly<Record<string, string>> = {
  BroadcastArgs: 'its inputs are shapes: a few numbers',
  CropAndResize: rare,
  Draw: 'draws on a canvas',
  FFT: rare,
  IFFT: rare,
  LRN: rare,
  LRNGrad: training,
  Multinomial: 'seeded random numbers must be those of the other backends',
  NonMaxSuppressionV3: dataSized,
  NonMaxSuppressionV4: dataSized,
  NonMaxSuppressionV5: dataSized,
  RaggedGather: dataSized,
  RaggedRange: dataSized,
  RaggedTensorToTensor: dataSized,
  ResizeBilinearGrad: training,
  ResizeNearestNeighborGrad: training,
  RotateWithOffset: rare,
  SearchSorted: rare,
  SparseFillEmptyRows: dataSized,
  SparseReshape: 'its inputs are shapes and indices',
  SparseSegmentMean: dataSized,
  SparseSegmentSum: dataSized,
  StaticRegexReplace: strings,
  StringNGrams: strings,
  StringSplit: strings,
  StringToHashBucketFast: strings,
  Transform: rare,
  Unique: dataSized,
};
