/** Keeps a process on this machine: every call that would leave it is refused, and told. */

import dgram from 'node:dgram';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const HERE = ['127.0.0.1', '::1', 'localhost'];

/**
 * A call that would have left the machine.
 * @typedef {{by: string, to: string, redirected?: boolean}} Attempt redirected: it was made, to a server here
 */

/**
 * From now on refuses what would leave this machine, at the lowest place that JavaScript reaches; whatever stands
 * above it (http, https, tls, fetch, WebSocket) fails as if there were no network. Unix sockets are let through.
 *
 * Also makes the global `XMLHttpRequest`, which Node does not have: one that refuses everything.
 * @param {(attempt: Attempt) => void} note is told of each
 */
export function stayOnThisMachine(note) {
  /** @param {string} by @param {string} to */
  const refusal = (by, to) => {
    note({ by, to });
    return Object.assign(new Error(`${by} to ${to} would leave this machine`), { code: 'ENETUNREACH' });
  };
  guardConnections(refusal);
  guardNames(refusal);
  for (const method of /** @type {const} */ (['connect', 'send'])) {
    dgram.Socket.prototype[method] = (/** @type {any[]} */ ...given) => { throw refusal('datagram', given.slice(1).join(' ')); };
  }
  globalThis.XMLHttpRequest = /** @type {any} */ (refusingRequest(refusal));
  syncBuiltinESMExports();
}

/** @typedef {(by: string, to: string) => Error} Refusal */

/** @param {Refusal} refusal */
function guardConnections(refusal) {
  const { connect } = net.Socket.prototype;
  net.Socket.prototype.connect = function guarded(/** @type {any[]} */ ...given) {
    const host = hostOf(given);
    // @ts-expect-error: passed on as it came
    if (host === undefined || HERE.includes(host)) return connect.apply(this, given);
    const error = refusal('connection', host);
    process.nextTick(() => this.destroy(error));
    return this;
  };
}

/**
 * The host of a call to `connect`, in any of its forms; undefined for a path.
 * @param {any[]} given
 * @returns {string | undefined}
 */
function hostOf([first, second]) {
  const target = Array.isArray(first) ? first[0] : first;
  if (typeof target === 'object') return target.path ? undefined : target.host ?? 'localhost';
  if (Number.isNaN(Number(target))) return undefined;
  return typeof second === 'string' ? second : 'localhost';
}

/** @param {Refusal} refusal */
function guardNames(refusal) {
  /** @type {Record<string, any>[]} */
  const withCallback = [dns, dns.Resolver.prototype];
  for (const [owner, name, ask] of questionsOf(withCallback)) {
    owner[name] = function guarded(/** @type {any[]} */ ...given) {
      if (HERE.includes(given[0])) return ask.apply(this, given);
      const error = refusal('name', given[0]);
      process.nextTick(() => given.at(-1)(error));
      return {};
    };
  }
  for (const [owner, name, ask] of questionsOf([dns.promises, dns.promises.Resolver.prototype])) {
    owner[name] = async function guarded(/** @type {any[]} */ ...given) {
      if (HERE.includes(given[0])) return ask.apply(this, given);
      throw refusal('name', given[0]);
    };
  }
}

/**
 * Every method that asks for a name or an address.
 * @param {Record<string, any>[]} owners
 * @returns {[Record<string, any>, string, (...given: any[]) => any][]}
 */
function questionsOf(owners) {
  return owners.flatMap((owner) => Object.getOwnPropertyNames(owner)
    .filter((name) => /^(lookup|resolve|reverse)/.test(name) && typeof owner[name] === 'function')
    .map((name) => /** @type {[any, string, any]} */ ([owner, name, owner[name]])));
}

/** @param {Refusal} refusal */
function refusingRequest(refusal) {
  return class {
    #to = '';
    readyState = 0;
    status = 0;
    responseText = '';
    /** @type {(() => void) | undefined} */
    onreadystatechange;
    /** @type {(() => void) | undefined} */
    onerror;

    /** @param {string} _method @param {string} address */
    open(_method, address) {
      this.#to = address;
    }

    send() {
      refusal('XMLHttpRequest', this.#to);
      queueMicrotask(() => {
        this.readyState = 4;
        this.onreadystatechange?.();
        this.onerror?.();
      });
    }

    setRequestHeader() {}

    abort() {}
  };
}
