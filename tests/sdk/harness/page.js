/** The least of a browser's page, for packages that do not start without one. */

/**
 * Makes the globals `window`, `document`, `navigator` and `localStorage`: events that never come, an address, and a
 * storage of this process.
 *
 * As in a page, a promise that fails and that nobody looks at ends nothing.
 */
export function openPage() {
  process.on('unhandledRejection', () => {});
  const location = new URL('http://127.0.0.1/');
  const navigator = { userAgent: '', cookieEnabled: true, onLine: true };
  const localStorage = storage();
  const window = Object.assign(new EventTarget(), { location, localStorage, navigator });
  const document = Object.assign(new EventTarget(), { charset: 'UTF-8', visibilityState: 'visible' });
  for (const [name, value] of Object.entries({ window, document, localStorage, navigator })) {
    // Some versions of Node have one of them already, which cannot be assigned to.
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
}

/** Its methods are no entries of it, as in a browser. */
function storage() {
  const methods = {
    /** @param {string} key */
    getItem: (key) => (Object.hasOwn(entries, key) ? entries[key] : null),
    /** @param {string} key @param {string} value */
    setItem: (key, value) => { entries[key] = String(value); },
    /** @param {string} key */
    removeItem: (key) => { delete entries[key]; },
    clear: () => { for (const key of Object.keys(entries)) delete entries[key]; },
  };
  /** @type {Record<string, any>} */
  const entries = Object.create(Object.assign(Object.create(Object.prototype), methods));
  return entries;
}
