/** What the runner says of files that are not written as README.md demands, and what it takes for equal. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { Coverage } from './runner/coverage.js';
import { Known, changed, spread } from './runner/fill.js';
import { difference } from './runner/match.js';
import { BadFile, checkScenarios } from './runner/read.js';

const STEP = '{call: a/b, body: {}}';

describe('a bad file', () => {
  for (const [text, says] of [
    ['{name: x}', 'bad.yaml: a file is a list of scenarios'],
    ['[{steps: []}]', 'bad.yaml, scenario 1: “name” is missing'],
    ['[{name: x}]', 'bad.yaml, “x”: needs steps or a table'],
    ['[{name: x, stepz: []}]', 'bad.yaml, “x”: unknown key “stepz”'],
    ['[{name: x, accounts: anna, steps: []}]', 'bad.yaml, “x”: “accounts” is not a list'],
    ['[{name: x, steps: []}, {name: x, steps: []}]', 'bad.yaml, “x”: another scenario has this name'],
    [`[{name: x, steps: [${STEP}, {body: {}}]}]`, 'bad.yaml, “x”, steps 2: “call” is missing'],
    ['[{name: x, steps: [{call: a/b, body: {}, anwser: {}}]}]', 'bad.yaml, “x”, steps 1: unknown key “anwser”'],
    ['[{name: x, steps: [{call: ab, body: {}}]}]', 'bad.yaml, “x”, steps 1 (ab): call is service/command'],
    ['[{name: x, steps: [{call: a/b}]}]', 'bad.yaml, “x”, steps 1 (a/b): needs a body or a text'],
    ['[{name: x, steps: [{call: a/b, body: {}, code: 0}]}]', 'code is for refusals'],
    ['[{name: x, steps: [{call: a/b, body: {}, says: x}]}]', 'says needs a code'],
    ['[{name: x, steps: [{call: a/b, body: {}, signed: {by: x}}]}]', 'signed: unknown key “by”'],
    ['[{name: x, table: {call: a/b, good: {}}}]', 'bad.yaml, “x”, table: “rows” is missing'],
    ['[{name: x, table: {call: a/b, good: {}, rows: [{drop: x}]}}]', 'bad.yaml, “x”, table (a/b), row 1: needs a code'],
    ['[{name: x, table: {call: a/b, good: {}, rows: [{dorp: x}]}}]', 'table (a/b), row 1: unknown key “dorp”'],
  ]) {
    it(`is told: ${says}`, () => {
      assert.throws(() => checkScenarios('bad.yaml', parse(text)), (error) => error instanceof BadFile && error.message.includes(says));
    });
  }
});

describe('an answer', () => {
  const known = new Known({ accounts: ['anna', 'fan-1 to fan-2'], strangers: ['carl'] }, 'm');
  for (const [expected, actual, fits] of [
    ['{a: 1}', { a: 1, b: 2 }, true],
    ['{a: 1}', { a: '1' }, false],
    ['{a: anna}', { a: 'anna-m' }, true],
    ['{a: "$anna, $carl"}', { a: 'anna-m, carl-m' }, true],
    ['{a: [1, 2]}', { a: [1, 2] }, true],
    ['{a: [1, 2]}', { a: [2, 1] }, false],
    ['{a: [1]}', { a: [1, 2] }, false],
    ['{a: {$any_order: [1, 2]}}', { a: [2, 1] }, true],
    ['{a: {$any_order: [1, 1]}}', { a: [2, 1] }, false],
    ['{a: {$holds: [2]}}', { a: [2, 1] }, true],
    ['{a: {$length: 2}}', { a: [2, 1] }, true],
    ['{a: {$length: 3}}', { a: [2, 1] }, false],
    ['{a: {$bytes: 3}}', { a: 'xxx' }, true],
    ['{a: <number>}', { a: 7 }, true],
    ['{a: <number>}', { a: '7' }, false],
    ['{a: <time>}', { a: 7 }, false],
    ['{a: <text>}', { a: '' }, false],
    ['{a: $kept, b: $kept}', { a: 7, b: 7 }, true],
    ['{c: $kept}', { c: 8 }, false],
  ]) {
    it(`${JSON.stringify(actual)} ${fits ? 'fits' : 'does not fit'} ${expected}`, () => {
      assert.equal(difference(parse(expected), actual, known) === undefined, fits);
    });
  }

  it('that is compared with an unknown word is a mistake in the file', () => {
    assert.throws(() => difference('<numbr>', 7, known), /<numbr> is not one of <number>/);
  });
});

it('a request is filled with names, lists and kept values', () => {
  const known = new Known({ accounts: ['anna', 'fan-1 to fan-3'] }, 'm');
  const body = parse('{a: anna, b: {$count: 2, from: 2, of: {c: fan-#}}, d: {$bytes: 2}}');
  assert.deepEqual(known.fill(body), { a: 'anna-m', b: [{ c: 'fan-2-m' }, { c: 'fan-3-m' }], d: 'xx' });
  assert.throws(() => known.fill('$nothing'), /nothing is known by the name \$nothing/);
  assert.throws(() => known.fill({ $byte: 2 }), /\$byte is not one of/);
  assert.deepEqual(spread('fan-9 to fan-11'), ['fan-9', 'fan-10', 'fan-11']);
});

it('a row changes one place of the good request, which has to be there', () => {
  const good = { a: [{ b: 1, c: 2 }] };
  assert.deepEqual(changed(good, 'a.0.b', {}), { a: [{ c: 2 }] });
  assert.deepEqual(changed(good, 'a.0.b', { value: 7 }), { a: [{ b: 7, c: 2 }] });
  assert.deepEqual(good, { a: [{ b: 1, c: 2 }] });
  assert.throws(() => changed(good, 'a.0.d', {}), /the good request has no a\.0\.d/);
  assert.throws(() => changed(good, 'a.1.b', { value: 7 }), /the good request has no a\.1\.b/);
});

it('what is documented and neither reached nor excused is told, and what is excused and reached', () => {
  const documented = {
    excused: { 3: 'why' },
    commands: { 'a/b': { page: 'x', fields: ['F', 'G', 'H'], codes: [1, 2, 3, 4], excused: { 4: 'why' }, unseen: { H: 'why' } } },
  };
  const coverage = new Coverage();
  coverage.reached('a/b', { F: [{ G: 1 }] }, { answer: { Items: [{ ResultCode: 4 }] } });
  coverage.reached('a/b', { G: 1 }, { code: 1 });
  assert.deepEqual(coverage.gaps(documented, { '/v4/a/b': { post: { 'x-error-codes': [5] } }, '/v4/a/c': { post: {} } }), [
    'a/c: the server has it, documented.yaml has not',
    'a/b: 2 is not reached',
    'a/b: 4 is excused and yet reached',
    'a/b: 5 is not reached',
    'a/b: the field G is not used',
  ]);
});
