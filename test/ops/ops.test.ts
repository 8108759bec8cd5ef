/** Runs the rows of every op family; see ./harness.ts. */
import {cases as movement} from './cases/movement';
import {cases as pointwise} from './cases/pointwise';
import {describeOps} from './harness';

describeOps('pointwise', pointwise);
describeOps('movement', movement);
