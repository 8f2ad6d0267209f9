/** Runs one scenario. */

import { Known, changed } from './fill.js';
import { at, difference } from './match.js';
import { IS_ELSEWHERE, target } from './target.js';

const ACCOUNTS_PER_CALL = 100;
const TOO_OFTEN = 60_007;
const TRIES_MAX = 100;
const OK = { ErrorCode: 0 };

let scenarios = 0;
const MARK = Date.now().toString(36).slice(-5);

/**
 * Whether the scenario needs what only a server that is started here has.
 * @param {any} scenario
 */
export function needsOwnServer(scenario) {
  return IS_ELSEWHERE && (scenario.alone === true || scenario.operator !== undefined);
}

/**
 * @param {any} scenario
 * @param {import('./coverage.js').Coverage} coverage
 * @param {(text: string) => void} note told what is still pending
 */
export async function runScenario(scenario, coverage, note) {
  scenarios += 1;
  const known = new Known(scenario, `${MARK}${scenarios.toString(36)}`);
  const app = await target.app(scenario.operator ?? {});
  known.values.set('administrator', app.administrator).set('sdkappid', app.id);
  const runner = new Runner(app, known, coverage, note);
  const settings = await runner.prepare(scenario);
  let failure;
  try {
    for (const [index, step] of (scenario.steps ?? []).entries()) {
      await runner.step(`step ${index + 1} (${step.call})`, step);
    }
    if (scenario.table) await runner.table(scenario.table);
  } catch (error) {
    failure = error;
  }
  try {
    for (const [index, step] of (scenario.afterwards ?? []).entries()) {
      await runner.step(`afterwards ${index + 1} (${step.call})`, step);
    }
    if (IS_ELSEWHERE) await runner.undo(settings);
  } catch (error) {
    failure ??= error;
  }
  if (failure) throw failure;
}

class Runner {
  constructor(app, known, coverage, note) {
    this.note = note;
    this.app = app;
    this.known = known;
    this.coverage = coverage;
  }

  /** Changes settings and makes accounts; resolves with the settings as they were. */
  async prepare({ settings }) {
    const changes = this.known.fill(settings ?? {});
    let before = {};
    if (Object.keys(changes).length > 0) {
      const { Settings } = await this.#must('whimbrel_config/get', {});
      before = Object.fromEntries(Object.keys(changes).map((name) => [name, Settings[name]]));
      await this.#must('whimbrel_config/set', { Settings: changes });
    }
    const accounts = this.known.people;
    for (let first = 0; first < accounts.length; first += ACCOUNTS_PER_CALL) {
      const Accounts = accounts.slice(first, first + ACCOUNTS_PER_CALL);
      await this.#must('im_open_login_svc/multiaccount_import', { Accounts });
    }
    return before;
  }

  async undo(settings) {
    if (Object.keys(settings).length > 0) await this.#must('whimbrel_config/set', { Settings: settings });
    const accounts = [...this.known.accounts.values()];
    for (let first = 0; first < accounts.length; first += ACCOUNTS_PER_CALL) {
      const DeleteItem = accounts.slice(first, first + ACCOUNTS_PER_CALL).map((UserID) => ({ UserID }));
      await this.#must('im_open_login_svc/account_delete', { DeleteItem });
    }
  }

  /** A call outside of the steps, again while the server says that it comes too often. */
  async #must(command, body) {
    for (let tries = 0; ; tries += 1) {
      const answer = await this.app.call(command, JSON.stringify(body));
      if (answer.ErrorCode === 0) return answer;
      if (answer.ErrorCode !== TOO_OFTEN || tries === TRIES_MAX) {
        throw new Error(`${command} before or after the steps: ${answer.ErrorCode} ${answer.ErrorInfo}`);
      }
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  }

  async step(where, step) {
    for (let number = 1; number <= (step.times ?? 1); number += 1) {
      const body = 'text' in step ? undefined : this.known.fill(step.body, step.times && number);
      await this.#ask(where, step.call, body, step);
    }
  }

  /** First the rows, then the good request: what is refused leaves everything as it was. */
  async table(table) {
    const good = this.known.fill(table.good);
    const failures = [];
    for (const [index, row] of table.rows.entries()) {
      const where = `row ${index + 1} (${rowName(row)})`;
      try {
        let body = good;
        for (const [path, value] of Object.entries(row.set ?? {})) body = changed(body, path, { value: this.known.fill(value) });
        if (row.drop) body = changed(body, row.drop, {});
        await this.#ask(where, table.call, 'text' in row ? undefined : body, row);
      } catch (error) {
        failures.push(error.message.startsWith(where) ? error.message : `${where}: ${error.message}`);
      }
    }
    const { call, good: body, rows, ...expected } = table;
    try {
      await this.#ask('the good request', call, good, expected);
    } catch (error) {
      failures.push(error.message);
    }
    if (failures.length > 0) throw new Error(`table (${table.call}): ${failures.join('\n')}`);
  }

  async #ask(where, command, body, step) {
    if (step.pending === undefined) return this.#judge(where, command, body, step);
    this.coverage.awaits(command, body, step);
    try {
      await this.#judge(where, command, body, step);
    } catch (error) {
      this.note(`pending, ${step.pending}: ${error.message}`);
      return undefined;
    }
    throw new Error(`${where}: is pending (“${step.pending}”) but passes: take the mark away`);
  }

  async #judge(where, command, body, step) {
    const text = body === undefined ? this.known.fill(step.text) : JSON.stringify(body);
    const how = this.known.fill({ as: step.as, signed: step.signed, query: step.query });
    const call = () => this.app.call(command, text, how);
    const answers = await Promise.all(Array.from({ length: step.at_once ?? 1 }, call));
    const answer = answers.find(({ ErrorCode }) => ErrorCode === step.code) ?? answers[0];
    const found = this.#mistake(answer, step);
    if (found) {
      throw new Error(`${where}: ${found}\n  request ${shortened(text)}\n  answer  ${shortened(JSON.stringify(answer))}`);
    }
    this.coverage.reached(command, body, step);
  }

  #mistake(answer, { code, says, answer: expected, absent = [] }) {
    const wrong = difference({ ...(code === undefined ? OK : { ErrorCode: code }), ...expected }, answer, this.known);
    if (wrong) return wrong;
    if (says !== undefined && !String(answer.ErrorInfo).includes(this.known.fill(says))) {
      return `ErrorInfo should say “${says}”, says “${answer.ErrorInfo}”`;
    }
    const there = absent.find((path) => at(answer, path) !== undefined);
    return there === undefined ? undefined : `answer.${there} should not be there`;
  }
}

function rowName({ set, drop, text, as: caller, signed, query }) {
  if (drop) return `without ${drop}`;
  if (text !== undefined) return 'a text of its own';
  return `with ${JSON.stringify(set ?? { as: caller, signed, query })}`.slice(0, 80);
}

function shortened(text) {
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}
