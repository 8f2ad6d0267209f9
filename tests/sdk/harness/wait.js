/** Waits that end when something happens, or fail at an upper bound with what was awaited. */

export const WAIT_MS_MAX = 20_000;

/** Wakes everyone who waits for a condition whenever something may have changed. */
export class Changes {
  /** @type {Set<() => void>} */
  #waiting = new Set();

  /** Lets every waiting condition be looked at again. */
  announce() {
    for (const wake of [...this.#waiting]) wake();
  }

  /**
   * Resolves with the first accepted answer of `read`, which is asked now and after every change.
   *
   * A change during a slow `read` is not missed: it is asked once more.
   * @template T
   * @param {string} what what is awaited, for the message on failure
   * @param {() => T | undefined | Promise<T | undefined>} read answers undefined as long as it is not so
   * @param {number} [timeoutMs]
   * @returns {Promise<T>}
   */
  async until(what, read, timeoutMs = WAIT_MS_MAX) {
    let changed = true;
    let expired = false;
    let wake = () => {};
    const note = () => {
      changed = true;
      wake();
    };
    const timer = setTimeout(() => {
      expired = true;
      wake();
    }, timeoutMs);
    this.#waiting.add(note);
    try {
      for (;;) {
        changed = false;
        const answer = await read();
        if (answer !== undefined) return answer;
        if (expired) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
        if (changed) continue;
        await new Promise((resolve) => {
          wake = () => resolve(undefined);
          if (changed || expired) wake();
        });
      }
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(note);
    }
  }
}

/**
 * Bounds a promise in time.
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what
 * @param {number} [timeoutMs]
 * @returns {Promise<T>}
 */
export function within(promise, what, timeoutMs = WAIT_MS_MAX) {
  /** @type {NodeJS.Timeout} */
  let timer;
  const bound = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms in vain for ${what}`)), timeoutMs);
  });
  return Promise.race([promise, bound]).finally(() => clearTimeout(timer));
}
