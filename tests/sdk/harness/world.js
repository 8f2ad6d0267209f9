/** What a scenario file starts from: a server with an empty store, one app, and people who log in. */

import { after, afterEach } from 'node:test';
import { App } from './app.js';
import { makeDirectory, removeDirectory } from './cleanup.js';
import { Client } from './client.js';
import { isKnownToTry } from './packages.js';
import { Proxy } from './proxy.js';
import { Server } from './server.js';

/**
 * @typedef {object} LoginOptions
 * @property {string} [package] one of packages.js; by default the build that the whole run is about
 * @property {boolean} [tapped] through a proxy of its own, found in `client.proxy`
 * @property {object} [options] further options of the SDK's `create`
 * @property {string[]} [modules] of the build for bundlers; by default all
 * @property {string} [signature]
 */

export class World {
  /** @type {Client[]} */
  #clients = [];
  /** @type {Proxy[]} */
  #proxies = [];
  #names = 0;
  #over = false;

  /** @param {Server} server @param {App} app */
  constructor(server, app) {
    this.server = server;
    this.app = app;
  }

  /**
   * Starts a server and creates an app. What is opened here is closed after the tests of the calling file.
   * @param {Record<string, string | number | boolean>} [settings] of the app
   */
  static async open(settings) {
    const data = makeDirectory();
    const server = new Server(data);
    // Declared first: a start that fails must leave nothing behind either.
    after(async () => {
      await server.close();
      removeDirectory(data);
    });
    await server.start();
    const world = new World(server, await App.create(server, 'scenarios'));
    if (settings) await world.app.set(settings);
    afterEach(() => world.sendHome());
    after(() => world.#end());
    return world;
  }

  /**
   * New names for this test, so that no test sees what another left behind.
   * @param {...string} names
   */
  names(...names) {
    const run = ++this.#names;
    return names.map((name) => `${name}-${run}`);
  }

  /**
   * Logs in new people, one instance each.
   * @param {...string} names
   */
  people(...names) {
    return Promise.all(this.names(...names).map((name) => this.login(name)));
  }

  /**
   * One more instance of the SDK, logged in and with its conversation list complete.
   * @param {string | Client} user
   * @param {LoginOptions} [how]
   */
  async login(user, how = {}) {
    const client = await this.instance(user, how);
    await client.login(how.signature);
    return client;
  }

  /**
   * One more instance of the SDK, not logged in.
   * @param {string | Client} user
   * @param {LoginOptions & {app?: App}} [how]
   * @returns {Promise<Client & {proxy: Proxy}>} the proxy only if it is tapped
   */
  async instance(user, { package: name, tapped = false, options, modules, app = this.app } = {}) {
    if (this.#over) throw new Error('the tests of this file are over');
    const client = new Client(app, user instanceof Client ? user.user : user);
    this.#clients.push(client);
    const proxy = tapped ? await this.#proxy() : undefined;
    await client.create({ package: name, address: proxy?.address, options, modules });
    return /** @type {any} */ (Object.assign(client, { proxy }));
  }

  /** @param {string} command @param {object} body */
  rest(command, body) {
    return this.app.rest(command, body);
  }

  /** Ends every instance and every proxy; fails if an instance tried to leave this machine in a way not known of it. */
  async sendHome() {
    const clients = this.#clients.splice(0);
    await Promise.all(clients.map((client) => client.close()));
    await Promise.all(this.#proxies.splice(0).map((proxy) => proxy.close()));
    const tried = clients.flatMap((client) => client.attempts.filter((attempt) => !isKnownToTry(client.package, attempt)));
    if (tried.length > 0) throw new Error(`would have left this machine: ${JSON.stringify(tried)}`);
  }

  /** A test that timed out may still be running, and must open nothing more. */
  #end() {
    this.#over = true;
    return this.sendHome();
  }

  async #proxy() {
    const proxy = await Proxy.open(() => this.server.socketAddress);
    this.#proxies.push(proxy);
    return proxy;
  }
}
