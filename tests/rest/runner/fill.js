/** Puts names, saved values and long texts into a request. */

/** What a scenario knows while it runs: its accounts by the names it has for them, and the values it kept. */
export class Known {
  /**
   * @param {{accounts?: string[], strangers?: string[]}} names
   * @param {string} mark makes the names differ from those of other scenarios
   */
  constructor({ accounts = [], strangers = [] }, mark) {
    /** @type {Map<string, any>} */
    this.values = new Map();
    const marked = (/** @type {string[]} */ names) => names.flatMap(spread).map((name) => [name, `${name}-${mark}`]);
    /** Names of accounts that the scenario starts with. */
    this.people = marked(accounts).map(([, name]) => name);
    /** @type {Map<string, string>} every name, also of accounts that do not exist */
    this.accounts = new Map(marked([...accounts, ...strangers]));
  }

  /**
   * @param {any} value as it stands in the file
   * @param {number} [number] which one of a list that `$count` makes
   * @returns {any}
   */
  fill(value, number) {
    if (typeof value === 'string') return this.#text(value, number);
    if (Array.isArray(value)) return value.map((item) => this.fill(item, number));
    if (value === null || typeof value !== 'object') return value;
    if ('$bytes' in value) return (value.of ?? 'x').repeat(value.$bytes);
    if ('$ago' in value) return now() - value.$ago;
    if ('$deep' in value) return nested(value.$deep);
    if ('$count' in value) {
      return Array.from({ length: value.$count }, (_, index) => this.fill(value.of, index + (value.from ?? 1)));
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [
      // Settings and bodies have plain keys; a dollar there is a mistake in writing.
      plainKey(key), this.fill(item, number),
    ]));
  }

  /** A whole value that is the name of an account, or text with `$names` in it. @param {string} text */
  #text(text, number) {
    const numbered = number === undefined ? text : text.replace(/#$/, String(number));
    const account = this.accounts.get(numbered);
    if (account !== undefined) return account;
    const whole = /^\$([a-z]\w*)$/.exec(numbered);
    if (whole) return this.get(whole[1]);
    return numbered.replace(/\$([a-z]\w*)/g, (_, name) => String(this.get(name)));
  }

  /** @param {string} name */
  get(name) {
    if (name === 'now') return now();
    const value = this.values.get(name) ?? this.accounts.get(name);
    if (value === undefined) throw new Error(`nothing is known by the name $${name}`);
    return value;
  }
}

/** `fan-1 to fan-100` is a hundred names. @param {string} name */
export function spread(name) {
  const range = /^(.*?)(\d+) to \1(\d+)$/.exec(name);
  if (!range) return [name];
  const [, stem, first, last] = range;
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `${stem}${Number(first) + index}`);
}

/**
 * A copy of a request in which one place is other, or not there.
 * @param {any} request @param {string} path such as `MsgBody.0.MsgType`
 * @param {{value?: any}} change without a value: the place is taken away
 */
export function changed(request, path, change) {
  const copy = structuredClone(request);
  const steps = path.split('.');
  const last = /** @type {string} */ (steps.pop());
  let place = copy;
  for (const step of steps) {
    place = place?.[step];
    if (place === null || typeof place !== 'object') throw new Error(`the good request has no ${path}`);
  }
  if ('value' in change) place[last] = change.value;
  else if (!(last in place)) throw new Error(`the good request has no ${path}`);
  else delete place[last];
  return copy;
}

function plainKey(key) {
  if (key.startsWith('$')) throw new Error(`${key} is not one of $bytes, $count, $ago and $deep`);
  return key;
}

function nested(depth) {
  let value = {};
  for (let level = 1; level < depth; level += 1) value = { a: value };
  return value;
}

/** Seconds since 1970. */
export function now() {
  return Math.floor(Date.now() / 1000);
}
