/** `cargo xtask demo`, as a newcomer runs it but for what it would build. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { endWithUs } from '../../sdk/harness/cleanup.js';
import { BINARY } from '../../sdk/harness/server.js';
import { within } from '../../sdk/harness/wait.js';
import { pageFolder, xtaskBinary } from './paths.js';

const OPEN = /^Open (http:\/\/\S+\/)$/;
const READY_MS_MAX = 60_000;

export class Demo {
  /** @param {import('node:child_process').ChildProcess} child @param {string} address */
  constructor(child, address) {
    this.child = child;
    /** Address of the page with both people. */
    this.address = address;
  }

  /** Starts the demo with data of its own; resolves when it says where the page is. */
  static async start() {
    const options = ['demo', '--server-binary', BINARY, '--page-dir', pageFolder(), '--with-parent'];
    const child = endWithUs(spawn(xtaskBinary(), options, { stdio: ['ignore', 'pipe', 'pipe'] }));
    let printed = '';
    const note = (/** @type {string} */ text) => { printed += text; };
    child.stderr.setEncoding('utf8').on('data', note);
    const address = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        note(`${line}\n`);
        const match = OPEN.exec(line);
        if (match) resolve(match[1]);
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the demo ended with ${code}:\n${printed}`)));
    });
    return new Demo(child, await within(address, 'the demo to be ready', READY_MS_MAX));
  }

  /** Stops it as Ctrl-C does; resolves with its exit code. */
  async stop() {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exit = once(this.child, 'exit');
    this.child.kill('SIGINT');
    const [code] = await within(exit, 'the demo to stop', READY_MS_MAX);
    return code;
  }
}
