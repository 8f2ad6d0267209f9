/** One Chromium for a test file; each test gets a profile and windows of its own. */

import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { Person } from './person.js';
import { chromiumBinary } from './paths.js';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const WIDE = { width: 1200, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** Opens a browser for the tests of a file. Returns what opens a window in a fresh profile. */
export function useBrowser() {
  /** @type {import('playwright-core').Browser} */
  let browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: chromiumBinary(), args: FLAGS });
  });
  after(() => browser.close());

  /** @param {import('node:test').TestContext} test @param {{width: number, height: number}} [viewport] */
  return async (test, viewport = WIDE) => {
    const profile = await browser.newContext({ viewport });
    const failures = /** @type {string[]} */ ([]);
    profile.on('weberror', (failure) => failures.push(String(failure.error())));
    profile.on('dialog', (dialog) => {
      failures.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    test.after(() => profile.close());
    return { profile, failures };
  };
}

/**
 * Opens the page with both people.
 * @param {import('playwright-core').BrowserContext} profile @param {string} address
 */
export async function openBoth(profile, address) {
  const page = await profile.newPage();
  await page.goto(address);
  const person = (/** @type {string} */ name) => new Person(page.frameLocator(`iframe[data-person="${name}"]`), name);
  return { page, alice: person('alice'), bob: person('bob') };
}

/**
 * Opens the page of one person.
 * @param {import('playwright-core').BrowserContext} profile @param {string} address @param {string} name
 */
export async function openOne(profile, address, name) {
  const page = await profile.newPage();
  await page.goto(`${address}?user=${name}`);
  return { page, person: new Person(page, name) };
}
