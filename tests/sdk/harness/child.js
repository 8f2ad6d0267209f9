/**
 * Runs one instance of an unmodified client package; started by client.js, spoken to over the process channel.
 *
 * The SDK keeps one object per app and process, so every instance has a process of its own. All it needs in Node is
 * a global `WebSocket`. Values cross the channel as plain copies; a copy of a message carries `$handle`, and where
 * such a copy comes back as an argument the SDK gets its own object again, with the fields in `$change` set.
 */

import { WebSocket } from 'ws';
import { stayOnThisMachine } from './guard.js';
import { load } from './load.js';
import { ignoresProxyServer } from './packages.js';

/** Where sockets go whatever address they are given; only for a package that has no option for it. */
let redirectedTo = '';

/** Tells the parent after every frame from the server that local state may have changed. */
class TellingSocket extends WebSocket {
  /** @param {string} address */
  constructor(address) {
    super(redirectedTo ? redirected(address) : address);
    this.on('message', () => setImmediate(() => tell({ changed: true })));
  }
}
globalThis.WebSocket = /** @type {any} */ (TellingSocket);
stayOnThisMachine((attempt) => tell({ attempt }));

/** The same path and query at the server of the scenario. @param {string} address */
function redirected(address) {
  const { origin, pathname, search } = new URL(address);
  tell({ attempt: { by: 'WebSocket', to: origin + pathname, redirected: true } });
  return redirectedTo + pathname + search;
}

/** @type {Map<number, object>} */
const objects = new Map();
/** @type {WeakMap<object, number>} */
const handles = new WeakMap();
/** @type {Map<string, (event: any) => void>} */
const listeners = new Map();
/** @type {any} */
let chat;

const actions = {
  /** @param {{package: string, address: string, options: object, modules?: string[]}} what */
  async create({ package: name, address, options, modules }) {
    if (ignoresProxyServer(name)) redirectedTo = address;
    const loaded = await load(name, { options, modules }, listenerOf);
    chat = loaded.chat;
    return { version: loaded.version };
  },
  /** @param {{method: string, parameters: any[]}} what */
  async call({ method, parameters }) {
    const answer = await methodOf(method)(...parameters.map(original));
    return copy(answer?.code === 0 && 'data' in answer ? answer.data : answer);
  },
  /** For methods that take a function for success and one for failure. @param {{method: string, parameters: any[]}} what */
  async callBack({ method, parameters }) {
    return copy(await new Promise((resolve, reject) => { methodOf(method)(...parameters.map(original), resolve, reject); }));
  },
  /** @param {{method: string, name: string}} what */
  async stopListening({ method, name }) {
    methodOf(method)(name, listenerOf(name));
  },
};

/**
 * A method of the SDK's object, or of one that it holds.
 * @param {string} path such as `login` or `TUIChat.sendTextMessage`
 * @returns {(...parameters: any[]) => any}
 */
function methodOf(path) {
  const names = path.split('.');
  const name = /** @type {string} */ (names.pop());
  const owner = names.reduce((value, key) => value?.[key], chat);
  if (typeof owner?.[name] !== 'function') throw new Error(`the SDK has no method ${path}`);
  return owner[name].bind(owner);
}

/** The one listener of an event, so that it can be taken away again. @param {string} name */
function listenerOf(name) {
  const listener = listeners.get(name) ?? ((/** @type {any} */ event) => tell({ event: copy({ ...event, name }) }));
  listeners.set(name, listener);
  return listener;
}

/**
 * @param {any} value
 * @param {object[]} [within] objects that hold it
 * @returns {any}
 */
function copy(value, within = []) {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (value === null || typeof value !== 'object') return value;
  if (within.includes(value)) return undefined;
  const path = [...within, value];
  if (value instanceof Map) return copy(Object.fromEntries(value), path);
  if (Array.isArray(value)) return value.map((item) => copy(item, path));
  /** @type {Record<string, any>} */
  const plain = {};
  for (const [key, item] of Object.entries(value)) {
    if (!key.startsWith('_')) plain[key] = copy(item, path);
  }
  if (isMessage(value)) plain.$handle = handleOf(value);
  return plain;
}

/** @param {any} value @returns {any} */
function original(value) {
  if (value === null || typeof value !== 'object') return value;
  if (value.$handle !== undefined) return changed(objects.get(value.$handle), value.$change ?? {});
  if (Array.isArray(value)) return value.map(original);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, original(item)]));
}

/** Sets fields where they are: the SDK looks at its own parts of a message. @param {any} object @param {object} change */
function changed(object, change) {
  for (const [key, value] of Object.entries(change)) {
    if (value !== null && typeof value === 'object') changed(object[key], value);
    else object[key] = value;
  }
  return object;
}

/** @param {any} value */
function isMessage(value) {
  return 'ID' in value && 'flow' in value && 'conversationID' in value;
}

/** @param {object} value */
function handleOf(value) {
  let handle = handles.get(value);
  if (handle === undefined) {
    handle = objects.size + 1;
    handles.set(value, handle);
    objects.set(handle, value);
  }
  return handle;
}

/** @param {object} what */
function tell(what) {
  if (process.connected) process.send?.(what);
}

process.on('message', async (/** @type {any} */ { id, action, what }) => {
  try {
    tell({ id, value: await actions[/** @type {keyof typeof actions} */ (action)](what) });
  } catch (error) {
    const { code, message, stack } = /** @type {any} */ (error ?? {});
    tell({ id, error: { code, message: message ?? String(error), stack } });
  }
});
process.on('disconnect', () => process.exit());
