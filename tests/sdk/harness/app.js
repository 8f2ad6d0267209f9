/** One app of the server: its settings, its signatures and its REST API as the administrator. */

import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
// @ts-expect-error: the package has no types
import signatures from 'tls-sig-api-v2';
import { BINARY } from './server.js';
import { WAIT_MS_MAX } from './wait.js';

const run = promisify(execFile);
const DAY_SECONDS = 86_400;

/** A REST command that was refused, with the documented number in `code`. */
export class Refused extends Error {
  /** @param {string} command @param {{ErrorCode: number, ErrorInfo?: string}} reply */
  constructor(command, reply) {
    super(`${command} was refused: ${reply.ErrorCode} ${reply.ErrorInfo ?? ''}`);
    this.code = reply.ErrorCode;
    this.reply = reply;
  }
}

export class App {
  /**
   * @param {import('./server.js').Server} server
   * @param {{SDKAppID: number, Key: string, Administrator: string}} created
   */
  constructor(server, created) {
    this.server = server;
    this.sdkAppId = created.SDKAppID;
    this.key = created.Key;
    this.administrator = created.Administrator;
  }

  /** @param {import('./server.js').Server} server @param {string} name */
  static async create(server, name) {
    const { stdout } = await whimbrel('app', 'create', '--data', server.data, '--name', name, '--json');
    return new App(server, JSON.parse(stdout));
  }

  /**
   * Changes settings of the app.
   * @param {Record<string, string | number | boolean>} settings
   */
  async set(settings) {
    const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
    await whimbrel('app', 'set', '--data', this.server.data, '--sdkappid', String(this.sdkAppId), ...pairs);
  }

  /**
   * Signs for a user with the official generator.
   * @param {string} user
   * @param {{expireSeconds?: number, ageSeconds?: number, key?: string}} [options] age: issued that long ago
   */
  sign(user, { expireSeconds = DAY_SECONDS, ageSeconds = 0, key = this.key } = {}) {
    // The generator reads the clock itself, so the clock is moved while it does.
    const now = Date.now;
    Date.now = () => now() - ageSeconds * 1000;
    try {
      return new signatures.Api(this.sdkAppId, key).genUserSig(user, expireSeconds);
    } finally {
      Date.now = now;
    }
  }

  /**
   * Calls a REST command as the administrator. Rejects with {@link Refused} on any error code.
   * @param {string} command such as `openim/sendmsg`
   * @param {object} body
   * @returns {Promise<any>}
   */
  async rest(command, body) {
    const query = new URLSearchParams({
      sdkappid: String(this.sdkAppId),
      identifier: this.administrator,
      usersig: this.sign(this.administrator),
      random: String(randomNumber()),
      contenttype: 'json',
    });
    const reply = await post(`http://${this.server.origin}/v4/${command}?${query}`, JSON.stringify(body));
    if (reply.ErrorCode !== 0) throw new Refused(command, reply);
    return reply;
  }
}

/** A number for MsgRandom, MsgSeq or the query. */
export function randomNumber() {
  return Math.floor(Math.random() * 2 ** 32);
}

/** @param {string[]} parameters */
function whimbrel(...parameters) {
  return run(BINARY, parameters, { timeout: WAIT_MS_MAX });
}

/**
 * One connection per request, so that no kept one is stale after a restart of the server.
 * @param {string} url @param {string} body
 * @returns {Promise<any>}
 */
function post(url, body) {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent: false, timeout: WAIT_MS_MAX }, (response) => {
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
