/** A WebSocket proxy between one SDK and the server that records frames, loses them, and cuts connections. */

import { createServer } from 'node:http';
import { gunzipSync, inflateSync } from 'node:zlib';
import { WebSocket, WebSocketServer } from 'ws';
import { Changes } from './wait.js';

/** @typedef {{from: 'client' | 'server', connection: number, binary: boolean, head: any, body: any}} Frame */

export class Proxy {
  #http = createServer((_, response) => response.writeHead(404).end());
  #sockets = new WebSocketServer({ noServer: true });
  #changes = new Changes();
  /** @type {Set<WebSocket>} */
  #open = new Set();
  /** @type {{fits: (frame: Frame) => boolean}[]} */
  #losing = [];
  /** @type {(() => void)[] | undefined} */
  #held;
  /** The request addresses of all connections so far. @type {string[]} */
  connections = [];
  /** Every frame so far, in order. @type {Frame[]} */
  frames = [];
  /** Changes the address with which the server is asked, before the connection. @param {string} path */
  rewrite = (path) => path;

  /** @param {() => string} target address of the server, asked for each connection */
  constructor(target) {
    this.target = target;
    this.#http.on('upgrade', (request, socket, head) => {
      const accept = () => this.#sockets.handleUpgrade(request, socket, head, (down) => this.#join(down, request.url ?? '/'));
      if (this.#held) this.#held.push(accept);
      else accept();
    });
  }

  /** @param {() => string} target */
  static async open(target) {
    const proxy = new Proxy(target);
    await new Promise((resolve) => { proxy.#http.listen(0, '127.0.0.1', () => resolve(undefined)); });
    return proxy;
  }

  get address() {
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#http.address());
    return `ws://127.0.0.1:${port}`;
  }

  /** Cuts every connection; new ones are accepted at once. */
  cut() {
    for (const socket of this.#open) socket.terminate();
    this.#open.clear();
  }

  /** Cuts every connection; new ones wait at the door until {@link resume}. */
  pause() {
    this.#held ??= [];
    this.cut();
  }

  /** Lets everyone in who waits. */
  resume() {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const accept of held) accept();
  }

  /**
   * Loses every fitting frame from now on, until the returned function is called. Lost frames are recorded.
   * @param {(frame: Frame) => boolean} fits
   */
  lose(fits) {
    const rule = { fits };
    this.#losing.push(rule);
    return () => { this.#losing = this.#losing.filter((other) => other !== rule); };
  }

  /**
   * Resolves with the first fitting frame, one already seen included.
   * @param {string} what
   * @param {(frame: Frame) => boolean} fits
   * @param {{since?: number, timeoutMs?: number}} [bounds] since: only frames from this position on
   */
  waitFor(what, fits, { since = 0, timeoutMs } = {}) {
    return this.#changes.until(what, () => this.frames.slice(since).find(fits), timeoutMs);
  }

  /**
   * The answer to a frame of the client, if it has come.
   * @param {Frame} request
   */
  answerTo({ head }) {
    return this.frames.find((frame) => frame.from === 'server'
      && frame.head.servcmd === head.servcmd && frame.head.seq === head.seq);
  }

  /**
   * Requests of one command so far.
   * @param {string} command such as `openim.sendmsg`
   * @param {number} [since]
   */
  requests(command, since = 0) {
    return this.frames.slice(since).filter((frame) => frame.from === 'client' && frame.head.servcmd === command);
  }

  /** Ends all connections and listens no more. */
  async close() {
    this.#held = undefined;
    this.cut();
    this.#sockets.close();
    this.#http.closeAllConnections();
    await new Promise((resolve) => { this.#http.close(() => resolve(undefined)); });
  }

  /** @param {WebSocket} down @param {string} path */
  #join(down, path) {
    const connection = this.connections.push(path);
    const up = new WebSocket(this.target() + this.rewrite(path));
    /** @type {[Buffer, boolean][]} */
    const waiting = [];
    for (const socket of [down, up]) {
      this.#open.add(socket);
      socket.on('error', () => socket.terminate());
    }
    up.on('open', () => { for (const [data, binary] of waiting.splice(0)) up.send(data, { binary }); });
    down.on('message', (/** @type {Buffer} */ data, binary) => {
      if (!this.#record('client', connection, data, binary)) return;
      if (up.readyState === WebSocket.OPEN) up.send(data, { binary });
      else waiting.push([data, binary]);
    });
    up.on('message', (/** @type {Buffer} */ data, binary) => {
      if (this.#record('server', connection, data, binary)) down.send(data, { binary });
    });
    this.#tie(down, up);
    this.#tie(up, down);
  }

  /** When one side closes, the other does. @param {WebSocket} one @param {WebSocket} other */
  #tie(one, other) {
    one.on('close', () => {
      this.#open.delete(one);
      if (other.readyState === WebSocket.OPEN) other.close();
      else other.terminate();
    });
  }

  /**
   * Records a frame; answers whether it goes on.
   * @param {'client' | 'server'} from @param {number} connection @param {Buffer} data @param {boolean} binary
   */
  #record(from, connection, data, binary) {
    const frame = { from, connection, binary, ...JSON.parse(plainText(data)) };
    this.frames.push(frame);
    const lost = this.#losing.some((rule) => rule.fits(frame));
    this.#changes.announce();
    return !lost;
  }
}

/** @param {Buffer} data */
function plainText(data) {
  if (data.subarray(0, 4).toString('latin1') !== 'COMP') return data.toString();
  const packed = data.subarray(4);
  return (packed[0] === 0x1f ? gunzipSync(packed) : inflateSync(packed)).toString();
}
