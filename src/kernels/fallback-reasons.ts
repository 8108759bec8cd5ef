/** Why kernels run on tfjs-backend-cpu: shown in docs/kernels.md. */
const strings = 'strings live in JavaScript';
const dataSized = 'the size of its result depends on elements';

export const fallbackReasons: Readonly<Record<string, string>> = {
  Draw: 'draws on a canvas, which lives in JavaScript',
  RaggedGather: dataSized,
  RaggedRange: dataSized,
  RaggedTensorToTensor: dataSized,
  SparseFillEmptyRows: dataSized,
  SparseReshape: 'its inputs are shapes and indices',
  SparseSegmentMean: dataSized,
  SparseSegmentSum: dataSized,
  StaticRegexReplace: strings,
  StringNGrams: strings,
  StringSplit: strings,
  StringToHashBucketFast: strings,
};
