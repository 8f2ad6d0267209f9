/** `test` of Node with an upper bound; the runner's own option bounds whole files only. */

import nodeTest from 'node:test';

const TEST_MS_MAX = 60_000;

/**
 * @param {string} title a sentence that says what is so
 * @param {() => void | Promise<void>} scenario
 */
export function test(title, scenario) {
  nodeTest(title, { timeout: TEST_MS_MAX }, scenario);
}
