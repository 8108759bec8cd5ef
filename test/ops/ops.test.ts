/** Runs the rows of every op family; see ./harness.ts. */
import {cases as attention} from './cases/attention';
import {cases as convolution} from './cases/convolution';
import {cases as movement} from './cases/movement';
import {cases as normalize} from './cases/normalize';
import {cases as pointwise} from './cases/pointwise';
import {cases as pool} from './cases/pool';
import {cases as reduce} from './cases/reduce';
import {cases as resize} from './cases/resize';
import {cases as scan} from './cases/scan';
import {cases as scatter} from './cases/scatter';
import {cases as unfold} from './cases/unfold';
import {describeOps} from './harness';

describeOps('pointwise', pointwise);
describeOps('movement', movement);
describeOps('convolution', convolution);
describeOps('pool', pool);
describeOps('resize', resize);
describeOps('reduce', reduce);
describeOps('normalize', normalize);
describeOps('scan', scan);
describeOps('attention', attention);
describeOps('scatter', scatter);
describeOps('unfold', unfold);
