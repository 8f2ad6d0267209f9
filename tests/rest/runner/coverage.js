/** Compares what scenarios reached with what documented.yaml lists. */

import { BadFile } from './read.js';

const ITEM_CODES = new Set(['ResultCode', 'ErrorCode', 'RetCode']);
/** Codes that the gateway answers for every command are listed under this name. */
const ANY = 'any call';
const COMMAND_UNKNOWN = 60_009;

export class Coverage {
  /** @type {Map<string, Set<number>>} */
  #codes = new Map();
  /** @type {Map<string, Set<string>>} */
  #fields = new Map();

  /**
   * What an answer proved. Only codes that the scenario asked for count, and only fields of accepted requests.
   * @param {string} command @param {any} body @param {any} step
   */
  reached(command, body, step) {
    const codes = entry(this.#codes, step.code === COMMAND_UNKNOWN ? ANY : command);
    if (step.code !== undefined) codes.add(step.code);
    collectCodes(step.answer, codes);
    if (step.code === undefined) collectFields(body, '', entry(this.#fields, command));
  }

  /** What a pending step would prove. It counts, since its mark cannot stay for ever. */
  awaits(command, body, step) {
    this.reached(command, body, step);
  }

  /**
   * One line for each thing that is documented and neither reached nor excused, or excused and yet reached.
   * @param {any} documented the content of documented.yaml
   * @param {Record<string, any>} served the paths of api/openapi.json
   */
  gaps(documented, served) {
    const { excused: everywhere, commands } = documented;
    const lines = [];
    for (const [path, { post }] of Object.entries(served)) {
      const command = path.replace('/v4/', '');
      if (!commands[command]) lines.push(`${command}: the server has it, documented.yaml has not`);
      else commands[command].declared = post['x-error-codes'] ?? [];
    }
    for (const [command, about] of Object.entries(commands)) {
      lines.push(...this.#codeGaps(command, about, everywhere), ...this.#fieldGaps(command, about));
    }
    for (const command of this.#codes.keys()) {
      if (!commands[command] && !documented.aliases?.includes(command)) lines.push(`${command}: is called, documented.yaml has it not`);
    }
    return lines;
  }

  #codeGaps(command, { codes, declared = [], excused = {} }, everywhere) {
    const reached = command === ANY
      ? new Set([...this.#codes.values()].flatMap((found) => [...found]))
      : entry(this.#codes, command);
    const lines = Object.keys(excused)
      .filter((code) => !codes.includes(Number(code)) && !declared.includes(Number(code)))
      .map((code) => `${command}: excuses ${code}, which is not among its codes`);
    for (const code of new Set([...codes, ...declared])) {
      const reason = excused[code] ?? everywhere[code];
      if (!reached.has(code) && reason === undefined) lines.push(`${command}: ${code} is not reached`);
      if (reached.has(code) && reason !== undefined) lines.push(`${command}: ${code} is excused and yet reached`);
    }
    return lines;
  }

  #fieldGaps(command, { fields = [], unseen = {} }) {
    const used = entry(this.#fields, command);
    const lines = Object.keys(unseen)
      .filter((field) => !fields.includes(field))
      .map((field) => `${command}: gives a reason for ${field}, which is not among its fields`);
    for (const field of fields) {
      if (!used.has(field) && !(field in unseen)) lines.push(`${command}: the field ${field} is not used`);
    }
    return lines;
  }
}

/** @param {any} documented */
export function checkDocumented(documented) {
  const known = ['page', 'fields', 'codes', 'excused', 'unseen'];
  for (const key of Object.keys(documented)) {
    if (!['excused', 'aliases', 'commands'].includes(key)) throw new BadFile(`documented.yaml: unknown key “${key}”`);
  }
  for (const [command, about] of Object.entries(documented.commands)) {
    const unknown = Object.keys(about).find((key) => !known.includes(key));
    if (unknown) throw new BadFile(`documented.yaml, ${command}: unknown key “${unknown}”`);
    if (!about.page || !Array.isArray(about.codes)) throw new BadFile(`documented.yaml, ${command}: needs page and codes`);
    for (const reason of Object.values({ ...about.excused, ...about.unseen })) {
      if (typeof reason !== 'string') throw new BadFile(`documented.yaml, ${command}: a reason is a sentence`);
    }
  }
  return documented;
}

function entry(map, key) {
  if (!map.has(key)) map.set(key, new Set());
  return map.get(key);
}

function collectCodes(expected, codes) {
  if (expected === null || typeof expected !== 'object') return;
  for (const [key, value] of Object.entries(expected)) {
    if (ITEM_CODES.has(key) && typeof value === 'number' && value !== 0) codes.add(value);
    else collectCodes(value, codes);
  }
}

function collectFields(body, path, fields) {
  if (Array.isArray(body)) body.forEach((item) => collectFields(item, path, fields));
  else if (body !== null && typeof body === 'object') {
    for (const [key, value] of Object.entries(body)) {
      const name = path ? `${path}.${key}` : key;
      fields.add(name);
      collectFields(value, name, fields);
    }
  }
}
