/** Compares an answer with the part of it that a scenario expects. */

import { now } from './fill.js';

const CLOCKS_APART_MAX = 600;

/** What `<word>` stands for in an expected answer. */
const WORDS = {
  number: (value) => typeof value === 'number',
  text: (value) => typeof value === 'string' && value !== '',
  list: Array.isArray,
  map: (value) => value !== null && typeof value === 'object' && !Array.isArray(value),
  time: (value) => Number.isInteger(value) && Math.abs(value - now()) < CLOCKS_APART_MAX,
};

/**
 * The first difference, or nothing. Keeps values under new `$names`.
 * @param {any} expected @param {any} actual
 * @param {import('./fill.js').Known} known
 * @param {string} [path]
 * @returns {string | undefined}
 */
export function difference(expected, actual, known, path = 'answer') {
  const differs = (what) => `${path}: expected ${what}, found ${shown(actual)}`;
  if (typeof expected === 'string') return differenceOfText(expected, actual, known, differs);
  if (Array.isArray(expected)) return differenceOfList(expected, actual, known, path, differs);
  if (expected !== null && typeof expected === 'object') {
    const [word] = Object.keys(expected).filter((key) => key.startsWith('$'));
    if (word === '$holds' || word === '$any_order') {
      return differenceOfSet(expected[word], word === '$any_order', actual, known, path, differs);
    }
    if (word === '$length') {
      return Array.isArray(actual) && actual.length === expected.$length
        ? undefined : differs(`a list of ${expected.$length}`);
    }
    if (word !== undefined) return compare(known.fill(expected), actual, differs);
    if (!WORDS.map(actual)) return differs('an object');
    for (const [key, value] of Object.entries(expected)) {
      const found = difference(value, actual[key], known, `${path}.${key}`);
      if (found) return found;
    }
    return undefined;
  }
  return compare(expected, actual, differs);
}

function differenceOfText(expected, actual, known, differs) {
  const word = /^<(\w+)>$/.exec(expected)?.[1];
  if (word !== undefined) {
    if (!WORDS[word]) throw new Error(`<${word}> is not one of ${Object.keys(WORDS).map((name) => `<${name}>`).join(', ')}`);
    return WORDS[word](actual) ? undefined : differs(`a ${word}`);
  }
  const name = /^\$([a-z]\w*)$/.exec(expected)?.[1];
  if (name !== undefined && name !== 'now' && !known.values.has(name) && !known.accounts.has(name)) {
    if (actual === undefined) return differs(`a value to keep as $${name}`);
    known.values.set(name, actual);
    return undefined;
  }
  return compare(known.fill(expected), actual, differs);
}

function differenceOfList(expected, actual, known, path, differs) {
  if (!Array.isArray(actual)) return differs('a list');
  if (actual.length !== expected.length) return differs(`a list of ${expected.length}`);
  for (const [index, item] of expected.entries()) {
    const found = difference(item, actual[index], known, `${path}.${index}`);
    if (found) return found;
  }
  return undefined;
}

/** Every expected item takes one that fits and that no other took. */
function differenceOfSet(expected, isAll, actual, known, path, differs) {
  if (!Array.isArray(actual)) return differs('a list');
  if (isAll && actual.length !== expected.length) return differs(`a list of ${expected.length}`);
  const left = [...actual];
  for (const item of expected) {
    const index = left.findIndex((candidate) => difference(item, candidate, known, path) === undefined);
    if (index < 0) return differs(`one that is ${shown(known.fill(item))}`);
    left.splice(index, 1);
  }
  return undefined;
}

function compare(expected, actual, differs) {
  return JSON.stringify(expected) === JSON.stringify(actual) ? undefined : differs(shown(expected));
}

/** The value at a dotted path, or undefined. @param {any} value @param {string} path */
export function at(value, path) {
  return path.split('.').reduce((place, step) => place?.[step], value);
}

function shown(value) {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
