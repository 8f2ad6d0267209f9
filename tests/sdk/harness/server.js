/** The real server as a child process, on a data directory that outlives its restarts. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './cleanup.js';
import { within } from './wait.js';

const READY = /^whimbrel is ready on http:\/\/(127\.0\.0\.1):(\d+)$/;
const LOG_LENGTH_MAX = 16_384;

/** Path of the server's binary: WHIMBREL_BIN, or the debug build of this checkout. */
export const BINARY = process.env.WHIMBREL_BIN
  ?? fileURLToPath(new URL('../../../target/debug/whimbrel', import.meta.url));

export class Server {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  #process;
  #port = 0;
  #log = '';
  #closed = false;

  /** @param {string} data directory of the store */
  constructor(data) {
    this.data = data;
  }

  get origin() {
    return `127.0.0.1:${this.#port}`;
  }

  get socketAddress() {
    return `ws://${this.origin}`;
  }

  /** The end of what the server wrote to its log. */
  get log() {
    return this.#log;
  }

  /** Starts the server; again on the same port after the first time. Resolves when it says that it is ready. */
  async start() {
    if (this.#closed) throw new Error('the server is closed for good');
    const child = endWithUs(spawn(
      BINARY,
      ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.#port}`],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ));
    this.#process = child;
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#log = (this.#log + text).slice(-LOG_LENGTH_MAX);
    });
    const failed = new Promise((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        reject(new Error(`the server ended with ${code ?? signal} before it was ready:\n${this.#log}`));
      });
    });
    failed.catch(() => {});
    const lines = createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stdout) });
    const ready = new Promise((resolve) => {
      lines.on('line', (line) => {
        const match = READY.exec(line);
        if (match) resolve(Number(match[2]));
      });
    });
    this.#port = await within(Promise.race([ready, failed]), 'the server to be ready');
  }

  /** Drains and stops the server as an operator does; resolves with its exit code. */
  stop() {
    return this.#end('SIGTERM');
  }

  /** Ends the server without warning, as a crash does. */
  kill() {
    return this.#end('SIGKILL');
  }

  /** Ends the server for good; it cannot be started again. */
  close() {
    this.#closed = true;
    return this.kill();
  }

  /** @param {NodeJS.Signals} signal */
  async #end(signal) {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const [code] = await within(exit, `the server to end after ${signal}`);
    return /** @type {number | null} */ (code);
  }
}
