// mocha's spec reporter with a last line that tools can read: `N passed, N failed` (and `, N skipped`). A failed hook
// counts as a failure, as in mocha's exit code. With TEST_COUNTS=file the same line is appended there, for .ci/run's sum.
const {appendFileSync} = require('node:fs');
const {reporters} = require('mocha');

module.exports = class CountReporter extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const {passes, failures, pending} = this.stats;
    const line = `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}`;
    console.log(line);
    if (process.env.TEST_COUNTS) appendFileSync(process.env.TEST_COUNTS, `${line}\n`);
  }
};
