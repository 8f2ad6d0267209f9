/** Server, app, two people and the page, made by hand so that a test can end the server and start it again. */

import { execFile } from 'node:child_process';
import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { makeDirectory, removeDirectory } from '../../sdk/harness/cleanup.js';
import { BINARY, Server } from '../../sdk/harness/server.js';
import { pageFolder } from './paths.js';

const run = promisify(execFile);
const PEOPLE = /** @type {const} */ ([['alice', 'bob'], ['bob', 'alice']]);
const TYPES = /** @type {Record<string, string>} */ ({
  '.css': 'text/css', '.html': 'text/html', '.js': 'text/javascript', '.svg': 'image/svg+xml',
});

export class Stage {
  #data = makeDirectory();
  #config = {};
  server = new Server(this.#data);
  #page = createServer((request, response) => this.#answer(request, response));

  /** Starts everything. */
  static async open() {
    const stage = new Stage();
    await stage.server.start();
    await stage.#fill();
    await new Promise((resolve) => { stage.#page.listen(0, '127.0.0.1', () => resolve(undefined)); });
    return stage;
  }

  /** Address of the page with both people. */
  get address() {
    const at = /** @type {import('node:net').AddressInfo} */ (this.#page.address());
    return `http://127.0.0.1:${at.port}/`;
  }

  async close() {
    this.#page.closeAllConnections();
    this.#page.close();
    await this.server.close();
    removeDirectory(this.#data);
  }

  /** Makes an app and signs for the people; an account begins with its first login. */
  async #fill() {
    const data = ['--data', this.#data];
    const created = await run(BINARY, ['app', 'create', ...data, '--name', 'page', '--json']);
    const sdkAppId = JSON.parse(created.stdout).SDKAppID;
    const people = await Promise.all(PEOPLE.map(async ([userId, peer]) => {
      const signed = await run(BINARY, ['usersig', ...data, '--sdkappid', String(sdkAppId), '--user', userId]);
      return { userId, userSig: signed.stdout.trim(), peer };
    }));
    this.#config = { sdkAppId, proxyServer: this.server.socketAddress, people };
  }

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  #answer(request, response) {
    const { pathname } = new URL(request.url ?? '/', 'http://page');
    if (pathname === '/config.json') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(this.#config));
      return;
    }
    const file = join(pageFolder(), normalize(pathname === '/' ? '/index.html' : pathname));
    if (!existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
    createReadStream(file).pipe(response);
  }
}
