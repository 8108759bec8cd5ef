/** Runs the rows of every op family; see ./harness.ts. */
import {cases as convolution} from './cases/convolution';
import {cases as movement} from './cases/movement';
import {cases as pointwise} from './cases/pointwise';
import {cases as pool} from './cases/pool';
import {cases as resize} from './cases/resize';
import {describeOps} from './harness';

describeOps('pointwise', pointwise);
describeOps('movement', movement);
describeOps('convolution', convolution);
describeOps('pool', pool);
describeOps('resize', resize);
