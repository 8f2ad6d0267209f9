/** One instance of a client package, driven from the scenario by name of method. */

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './cleanup.js';
import { DEFAULT, listsConversations } from './packages.js';
import { Changes, WAIT_MS_MAX, within } from './wait.js';

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url));
// The SDK gives up on a login after 90 s; nothing else takes longer than 15 s.
const CALL_MS_MAX = 50_000;

/** A call that the SDK rejected, with its number in `code`. */
export class Rejected extends Error {
  /** @param {string} method @param {{code?: number, message: string}} error */
  constructor(method, error) {
    super(`${method} was rejected: ${error.code ?? ''} ${error.message}`);
    this.code = error.code;
    this.text = error.message;
  }
}

/** @typedef {{name: string, data: any}} SdkEvent */

export class Client {
  #child;
  #changes = new Changes();
  #requests = 0;
  /** @type {Map<number, {method: string, resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #pending = new Map();
  #errors = '';

  /**
   * @param {import('./app.js').App} app
   * @param {string} user
   */
  constructor(app, user) {
    this.app = app;
    this.user = user;
    /** Every event so far, in order. @type {SdkEvent[]} */
    this.events = [];
    /** Every call so far that would have left this machine. @type {import('./guard.js').Attempt[]} */
    this.attempts = [];
    /** What the SDK's object was made with. @type {Record<string, any>} */
    this.options = {};
    this.package = DEFAULT;
    this.version = '';
    this.#child = endWithUs(fork(CHILD, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' }));
    this.#child.stderr?.setEncoding('utf8').on('data', (text) => { this.#errors = (this.#errors + text).slice(-4096); });
    this.#child.on('message', (message) => this.#receive(/** @type {any} */ (message)));
    this.#child.on('exit', () => {
      for (const { method, reject } of this.#pending.values()) {
        reject(new Error(`the SDK's process ended during ${method}\n${this.#errors}`));
      }
      this.#pending.clear();
    });
  }

  /** The name of the one-to-one conversation with this account, as its peers see it. */
  get conversation() {
    return `C2C${this.user}`;
  }

  /**
   * Makes the SDK object; its socket opens at once.
   * @param {{package?: string, address?: string, options?: object, modules?: string[]}} [how] see `LoginOptions`
   */
  async create({ package: name = DEFAULT, address = this.app.server.socketAddress, options = {}, modules } = {}) {
    this.package = name;
    this.options = { SDKAppID: this.app.sdkAppId, proxyServer: address, ...options };
    const { version } = await this.#ask('create', 'create', { package: name, address, options: this.options, modules });
    this.version = version;
  }

  /**
   * Logs in and waits until the conversation list is complete, where the package has one.
   * @param {string} [signature]
   */
  async login(signature = this.app.sign(this.user)) {
    const since = this.events.length;
    const answer = await this.call('login', { userID: this.user, userSig: signature });
    await this.waitFor('sdkStateReady', () => true, { since });
    if (listsConversations(this.package)) {
      await this.until('a complete conversation list', () => this.call('getConversationList'), (list) => list.isSyncCompleted);
    }
    return answer;
  }

  /**
   * Calls a method of the SDK; resolves with the `data` of its answer. Messages may be given as they were received.
   * @param {string} method
   * @param {...any} parameters
   * @returns {Promise<any>}
   */
  call(method, ...parameters) {
    return this.#ask('call', method, { method, parameters });
  }

  /**
   * Calls a method of the SDK that takes a function for success and one for failure as its last parameters.
   * @param {string} method
   * @param {...any} parameters
   * @returns {Promise<any>}
   */
  callBack(method, ...parameters) {
    return this.#ask('callBack', method, { method, parameters });
  }

  /**
   * Takes away the listener of an event.
   * @param {string} name
   * @param {'off' | 'removeSignalingListener'} [method]
   */
  stopListening(name, method = 'off') {
    return this.#ask('stopListening', method, { method, name });
  }

  /**
   * Creates and sends a message to one account; resolves with the sent message.
   * @param {string} method such as `createTextMessage`
   * @param {Client | string} to
   * @param {object} payload
   * @param {{message?: object, send?: object}} [more] options of creating and of sending
   */
  async send(method, to, payload, { message = {}, send } = {}) {
    const created = await this.call(method, {
      to: to instanceof Client ? to.user : to,
      conversationType: 'C2C',
      payload,
      ...message,
    });
    const sent = await (send ? this.call('sendMessage', created, send) : this.call('sendMessage', created));
    return sent.message;
  }

  /**
   * @param {Client | string} to
   * @param {string} text
   * @param {{message?: object, send?: object}} [more]
   */
  sendText(to, text, more) {
    return this.send('createTextMessage', to, { text }, more);
  }

  /**
   * Resolves with the first fitting item of an event, one already seen included.
   *
   * Where the data of the event is a list, the condition is asked for each item, else for the data itself.
   * @param {string} name
   * @param {(item: any) => boolean} [fits]
   * @param {{since?: number, timeoutMs?: number}} [bounds] since: only events from this position on
   */
  waitFor(name, fits = () => true, { since = 0, timeoutMs = WAIT_MS_MAX } = {}) {
    const seen = () => this.seen(name, since).find(fits);
    return this.#changes.until(`${name} at ${this.user}`, () => {
      const item = seen();
      // An event without data still happened.
      return item === undefined ? undefined : { item };
    }, timeoutMs).then(({ item }) => item, (error) => {
      throw new Error(`${error.message}; seen: ${JSON.stringify(this.seen(name, since)).slice(0, 2000)}\n${this.app.server.log}`);
    });
  }

  /** Resolves when a message with this text was received. @param {string} text */
  waitForText(text) {
    return this.waitFor('onMessageReceived', (message) => message.payload?.text === text);
  }

  /**
   * Every item of an event so far.
   * @param {string} name
   * @param {number} [since] position in the list of events
   * @returns {any[]}
   */
  seen(name, since = 0) {
    return this.events.slice(since)
      .filter((event) => event.name === name)
      .flatMap((event) => (Array.isArray(event.data) ? event.data : [event.data ?? {}]));
  }

  /** The texts received so far, in order. */
  get textsReceived() {
    return this.seen('onMessageReceived').map((message) => message.payload?.text);
  }

  /**
   * Resolves with what `read` answers once it fits; asked again whenever the SDK's state may have changed.
   * @template T
   * @param {string} what
   * @param {() => Promise<T>} read a look at local state, which sends nothing
   * @param {(value: T) => boolean} fits
   * @param {number} [timeoutMs]
   */
  async until(what, read, fits, timeoutMs) {
    /** @type {T | undefined} */
    let last;
    try {
      return (await this.#changes.until(`${what} at ${this.user}`, async () => {
        last = await read();
        return fits(last) ? { value: last } : undefined;
      }, timeoutMs)).value;
    } catch (error) {
      throw new Error(`${/** @type {Error} */ (error).message}; last: ${JSON.stringify(last)?.slice(0, 2000)}`);
    }
  }

  /**
   * Resolves with a conversation once it fits.
   * @param {Client | string} peer
   * @param {(conversation: any) => boolean} fits is asked with undefined while there is no such conversation
   */
  conversationWhere(peer, fits) {
    const id = `C2C${peer instanceof Client ? peer.user : peer}`;
    return this.until(`conversation ${id} as expected`, async () => (await this.conversations()).find((item) => item.conversationID === id), fits);
  }

  /** @returns {Promise<any[]>} */
  async conversations() {
    return (await this.call('getConversationList')).conversationList;
  }

  /**
   * The whole history with a peer, oldest first, page by page.
   *
   * For an instance that has not seen the conversation yet; one that has pages over its own memory first.
   * @param {Client | string} peer
   * @returns {Promise<any[]>}
   */
  async history(peer) {
    const conversationID = `C2C${peer instanceof Client ? peer.user : peer}`;
    /** @type {any[]} */
    let messages = [];
    let nextReqMessageID = '';
    for (;;) {
      const page = await this.call('getMessageList', { conversationID, nextReqMessageID });
      messages = [...page.messageList, ...messages];
      if (page.isCompleted) return messages;
      if (page.nextReqMessageID === nextReqMessageID) throw new Error(`history of ${conversationID} does not go on`);
      nextReqMessageID = page.nextReqMessageID;
    }
  }

  /** Ends the process without logging out, as closing a browser does. */
  async close() {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = new Promise((resolve) => { this.#child.once('exit', resolve); });
    this.#child.kill('SIGKILL');
    await within(exit, `the SDK's process of ${this.user} to end`);
  }

  /** @param {string} action @param {string} method @param {object} what @returns {Promise<any>} */
  #ask(action, method, what) {
    const id = ++this.#requests;
    const answer = new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
      this.#child.send({ id, action, what }, (error) => { if (error) reject(error); });
    });
    return within(answer, `${method} at ${this.user}`, CALL_MS_MAX);
  }

  /** @param {{id?: number, value?: any, error?: any, event?: SdkEvent, attempt?: import('./guard.js').Attempt}} message */
  #receive({ id, value, error, event, attempt }) {
    if (event) this.events.push(event);
    if (attempt) this.attempts.push(attempt);
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (pending) {
      this.#pending.delete(/** @type {number} */ (id));
      if (error) pending.reject(new Rejected(pending.method, error));
      else pending.resolve(value);
    }
    // An answer to one's own question is no news; else a look at the state would lead to the next look.
    if (id === undefined) this.#changes.announce();
  }
}
