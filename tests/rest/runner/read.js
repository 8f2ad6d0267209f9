/** Reads scenario files and refuses what it does not know, naming file, scenario and step. */

import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseDocument } from 'yaml';

/** Keys and the kinds of their values; a question mark: may be absent. */
const SCENARIO = {
  name: 'text', accounts: 'list?', strangers: 'list?', settings: 'map?', operator: 'map?', alone: 'yes?',
  steps: 'list?', table: 'map?', afterwards: 'list?',
};
const CALL = { as: 'text?', signed: 'map?', query: 'map?', pending: 'text?' };
const EXPECTED = { answer: 'map?', absent: 'list?', code: 'number?', says: 'text?' };
const STEP = { call: 'text', body: 'map?', text: 'text?', at_once: 'number?', times: 'number?', ...CALL, ...EXPECTED };
const TABLE = { call: 'text', good: 'map', rows: 'list', ...EXPECTED };
const ROW = { set: 'map?', drop: 'text?', text: 'text?', ...CALL, ...EXPECTED };
const SIGNED = { for: 'text?', app: 'number?', key: 'text?', seconds_ago: 'number?' };

const KINDS = {
  text: (value) => typeof value === 'string' && value !== '',
  number: Number.isInteger,
  list: Array.isArray,
  map: (value) => value !== null && typeof value === 'object' && !Array.isArray(value),
  yes: (value) => value === true,
};

/** A file that is not written as README.md says. */
export class BadFile extends Error {}

/**
 * Every scenario of a folder.
 * @param {string} folder
 * @returns {{file: string, scenarios: object[]}[]}
 */
export function readFolder(folder) {
  const names = readdirSync(folder).filter((name) => name.endsWith('.yaml')).sort();
  if (names.length === 0) throw new BadFile(`${folder}: there is no scenario`);
  return names.map((name) => ({ file: name, scenarios: readScenarios(join(folder, name)) }));
}

/** @param {string} path @returns {any[]} */
export function readScenarios(path) {
  return checkScenarios(basename(path), readYaml(path));
}

/** The scenario that README.md shows, which has to be a true one. @param {string} path @returns {any[]} */
export function readExample(path) {
  const example = /```yaml\n(.*?)```/s.exec(readFileSync(path, 'utf8'))?.[1] ?? '';
  return checkScenarios(basename(path), parseYaml(basename(path), example));
}

/** @param {string} path */
export function readYaml(path) {
  return parseYaml(basename(path), readFileSync(path, 'utf8'));
}

/** @param {string} name @param {string} text */
function parseYaml(name, text) {
  const document = parseDocument(text, { uniqueKeys: true });
  const [mistake] = [...document.errors, ...document.warnings];
  if (mistake) throw new BadFile(`${name}: ${mistake.message}`);
  // Aliases may be used often: a good request in ten rows is no attack.
  return document.toJS({ maxAliasCount: -1 });
}

/** @param {string} file @param {any} content */
export function checkScenarios(file, content) {
  if (!Array.isArray(content)) throw new BadFile(`${file}: a file is a list of scenarios`);
  const names = new Set();
  content.forEach((scenario, index) => {
    const where = `${file}, ${scenario?.name ? `“${scenario.name}”` : `scenario ${index + 1}`}`;
    checkKeys(where, scenario, SCENARIO);
    if (names.has(scenario.name)) throw new BadFile(`${where}: another scenario has this name`);
    names.add(scenario.name);
    if (!scenario.steps && !scenario.table) throw new BadFile(`${where}: needs steps or a table`);
    for (const part of ['steps', 'afterwards']) {
      scenario[part]?.forEach((step, place) => checkStep(`${where}, ${part} ${place + 1}`, step));
    }
    if (scenario.table) checkTable(`${where}, table`, scenario.table);
  });
  return content;
}

function checkStep(where, step) {
  checkKeys(where, step, STEP);
  checkCall(`${where} (${step.call})`, step);
  if ('body' in step === 'text' in step) throw new BadFile(`${where} (${step.call}): needs a body or a text`);
  checkExpected(`${where} (${step.call})`, step);
}

function checkTable(where, table) {
  checkKeys(where, table, TABLE);
  checkCall(`${where} (${table.call})`, table);
  if ('code' in table || 'says' in table) throw new BadFile(`${where}: the good request is not refused`);
  table.rows.forEach((row, index) => {
    const place = `${where} (${table.call}), row ${index + 1}`;
    checkKeys(place, row, ROW);
    checkCall(place, { call: table.call, ...row });
    if (!('code' in row) && !('answer' in row)) throw new BadFile(`${place}: needs a code or an answer`);
    checkExpected(place, row);
  });
}

function checkCall(where, step) {
  if (!/^\w+\/\w+$/.test(step.call)) throw new BadFile(`${where}: call is service/command`);
  if (step.signed) checkKeys(`${where}, signed`, step.signed, SIGNED);
}

function checkExpected(where, { answer, absent, code, says, at_once: times }) {
  if (code !== undefined && (answer || absent) && code === 0) {
    throw new BadFile(`${where}: code is for refusals`);
  }
  if (code === 0) throw new BadFile(`${where}: code is for refusals; without it the call has to succeed`);
  if (says !== undefined && code === undefined) throw new BadFile(`${where}: says needs a code`);
  if (times !== undefined && code === undefined) throw new BadFile(`${where}: at_once needs a code`);
}

function checkKeys(where, value, known) {
  if (!KINDS.map(value)) throw new BadFile(`${where}: is not a map of keys`);
  for (const key of Object.keys(value)) {
    if (!(key in known)) {
      throw new BadFile(`${where}: unknown key “${key}”; known are ${Object.keys(known).join(', ')}`);
    }
  }
  for (const [key, kind] of Object.entries(known)) {
    const plain = kind.replace('?', '');
    if (!(key in value)) {
      if (plain === kind) throw new BadFile(`${where}: “${key}” is missing`);
    } else if (!KINDS[plain](value[key])) {
      throw new BadFile(`${where}: “${key}” is not a ${plain}`);
    }
  }
}
