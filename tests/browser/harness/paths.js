/** Where the things are that a test drives. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`);
const inCheckout = (/** @type {string} */ path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** @param {string} variable @param {string} otherwise @param {string} hint */
function find(variable, otherwise, hint) {
  const path = process.env[variable] ?? otherwise;
  if (!existsSync(path)) throw new Error(`${path} is missing: ${hint}, or name it in ${variable}`);
  return path;
}

export const xtaskBinary = () => find('WHIMBREL_XTASK', inCheckout('target/debug/xtask'), 'cargo build -p xtask');
export const pageFolder = () => find('WHIMBREL_PAGE', inCheckout('apps/demo/dist'), 'npm run build in apps/demo');
export const chromiumBinary = () =>
  find('WHIMBREL_CHROMIUM', BROWSERS.find((path) => existsSync(path)) ?? BROWSERS[0], 'install Chromium');
