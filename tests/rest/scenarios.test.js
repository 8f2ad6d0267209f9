/** Runs every file of `scenarios/`, then compares what was reached with documented.yaml. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Coverage, checkDocumented } from './runner/coverage.js';
import { readExample, readFolder, readYaml } from './runner/read.js';
import { needsOwnServer, runScenario } from './runner/run.js';
import { IS_ELSEWHERE, target } from './runner/target.js';

const TEST_MS_MAX = 120_000;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const files = [...readFolder(here('scenarios')), { file: 'README.md', scenarios: readExample(here('README.md')) }];
const documented = checkDocumented(readYaml(here('documented.yaml')));
const coverage = new Coverage();

before(() => target.open());
after(() => target.close());

describe('scenarios', { concurrency: target.parallel }, () => {
  for (const { file, scenarios } of files) {
    describe(file, { concurrency: target.parallel }, () => {
      for (const scenario of scenarios) {
        const skip = needsOwnServer(scenario) && 'needs a server that is started here';
        it(scenario.name, { timeout: TEST_MS_MAX, skip }, (test) => runScenario(scenario, coverage, (text) => test.diagnostic(text)));
      }
    });
  }
});

it('reaches every documented code and field, or says why not', { skip: IS_ELSEWHERE && 'not every scenario ran' }, () => {
  const { paths } = JSON.parse(readFileSync(here('../../api/openapi.json'), 'utf8'));
  assert.equal(coverage.gaps(documented, paths).join('\n'), '');
});
