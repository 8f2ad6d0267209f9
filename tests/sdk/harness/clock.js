/** Waiting for the clock itself, where the rule under test is one of time. */

/**
 * Resolves when the clock has passed a point in time.
 * @param {number} seconds since 1970
 */
export function clockPasses(seconds) {
  const milliseconds = Math.max(0, seconds * 1000 - Date.now()) + 1;
  return new Promise((resolve) => { setTimeout(resolve, milliseconds); });
}

/** The current time in whole seconds, as signatures and messages carry it. */
export function nowSeconds() {
  return Math.floor(Date.now() / 1000);
}
