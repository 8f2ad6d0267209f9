/** The server that scenarios are run against: one that is started here, or one at an address. */

import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { promisify } from 'node:util';
import { deflateSync } from 'node:zlib';
import { makeDirectory, removeDirectory } from '../../sdk/harness/cleanup.js';
import { BINARY, Server } from '../../sdk/harness/server.js';
import { WAIT_MS_MAX } from '../../sdk/harness/wait.js';
import { now } from './fill.js';

const run = promisify(execFile);
const DAY_SECONDS = 86_400;
const CONNECTIONS_MAX = 64;

/** One app of the server. */
export class App {
  #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

  /** @param {string} address @param {{SDKAppID: number, Key: string, Administrator: string}} created */
  constructor(address, created) {
    this.address = address;
    this.id = created.SDKAppID;
    this.key = created.Key;
    this.administrator = created.Administrator;
  }

  /**
   * Calls a command; resolves with whatever the server answers.
   * @param {string} command
   * @param {string} body
   * @param {{as?: string, signed?: any, query?: Record<string, any>}} [how]
   * @returns {Promise<any>}
   */
  async call(command, body, { as = this.administrator, signed = {}, query = {} } = {}) {
    const parameters = {
      sdkappid: this.id, identifier: as, usersig: this.#sign(signed.for ?? as, signed),
      random: Math.floor(Math.random() * 2 ** 32), contenttype: 'json', ...query,
    };
    const given = Object.entries(parameters).filter(([, value]) => value !== null);
    const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)]));
    return this.#post(`${this.address}/v4/${command}?${text}`, body);
  }

  /** A UserSig as the public generators make it. @param {string} user */
  #sign(user, { app = this.id, key = this.key, seconds_ago: age = 0 }) {
    const signature = {
      'TLS.ver': '2.0', 'TLS.identifier': user, 'TLS.sdkappid': app, 'TLS.time': now() - age, 'TLS.expire': DAY_SECONDS,
    };
    const lines = ['identifier', 'sdkappid', 'time', 'expire'].map((name) => `TLS.${name}:${signature[`TLS.${name}`]}\n`);
    signature['TLS.sig'] = createHmac('sha256', key).update(lines.join('')).digest('base64');
    const swapped = { '+': '*', '/': '-', '=': '_' };
    return deflateSync(JSON.stringify(signature)).toString('base64').replace(/[+/=]/g, (sign) => swapped[sign]);
  }

  /** @param {string} url @param {string} body @returns {Promise<any>} */
  #post(url, body) {
    const isSecure = url.startsWith('https:');
    const options = { method: 'POST', timeout: WAIT_MS_MAX, ...(isSecure ? {} : { agent: this.#agent }) };
    return new Promise((resolve, reject) => {
      const call = (isSecure ? secureRequest : request)(url, options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part) => { text += part; });
        response.on('error', reject);
        response.on('end', () => {
          try {
            if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode}: ${text}`);
            resolve(JSON.parse(text));
          } catch (error) {
            reject(error);
          }
        });
      });
      call.on('timeout', () => call.destroy(new Error(`no answer from ${url}`)));
      call.on('error', reject);
      call.end(body);
    });
  }
}

/** A server that is started here, on an empty store; every scenario gets an app of its own. */
class OwnServer {
  parallel = 6;

  async open() {
    this.data = makeDirectory();
    this.server = new Server(this.data);
    await this.server.start();
  }

  async close() {
    await this.server?.close();
    if (this.data) removeDirectory(this.data);
  }

  /** @param {Record<string, any>} settings that only an operator may change */
  async app(settings) {
    const { stdout } = await run(BINARY, ['app', 'create', '--data', this.data, '--name', 'scenario', '--json'], { timeout: WAIT_MS_MAX });
    const app = new App(`http://${this.server.origin}`, JSON.parse(stdout));
    const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    if (pairs.length > 0) {
      await run(BINARY, ['app', 'set', '--data', this.data, '--sdkappid', String(app.id), ...pairs], { timeout: WAIT_MS_MAX });
    }
    return app;
  }
}

/** A server at an address: one app for all scenarios, which therefore run one after the other. */
class Elsewhere {
  parallel = 1;

  async open() {
    this.one = new App(process.env.WHIMBREL_REST_ADDRESS, {
      SDKAppID: Number(needed('WHIMBREL_REST_SDKAPPID')),
      Key: needed('WHIMBREL_REST_KEY'),
      Administrator: process.env.WHIMBREL_REST_ADMINISTRATOR ?? 'administrator',
    });
  }

  async close() {}

  async app() {
    return this.one;
  }
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`WHIMBREL_REST_ADDRESS needs ${name} too`);
  return value;
}

/** Whether the server is somewhere else. */
export const IS_ELSEWHERE = Boolean(process.env.WHIMBREL_REST_ADDRESS);

/** The server to run scenarios against. */
export const target = IS_ELSEWHERE ? new Elsewhere() : new OwnServer();
