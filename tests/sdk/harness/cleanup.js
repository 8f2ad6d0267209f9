/** Ends every process and removes every directory that a scenario made, however the scenario ends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @type {Set<import('node:child_process').ChildProcess>} */
const processes = new Set();
/** @type {Set<string>} */
const directories = new Set();

/**
 * Kills the process when this one ends.
 * @template {import('node:child_process').ChildProcess} P
 * @param {P} child
 * @returns {P}
 */
export function endWithUs(child) {
  processes.add(child);
  child.once('exit', () => processes.delete(child));
  return child;
}

/** Makes a directory that is removed at the end, at the latest when this process ends. */
export function makeDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'whimbrel-sdk-'));
  directories.add(path);
  return path;
}

/** @param {string} path */
export function removeDirectory(path) {
  rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  directories.delete(path);
}

process.on('exit', () => {
  for (const child of processes) child.kill('SIGKILL');
  for (const path of directories) removeDirectory(path);
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.once(signal, () => process.exit(1));
}
