/** Loads a client package as an application does, and makes its object; for the process of one instance. */

import { createRequire, register } from 'node:module';
import { openPage } from './page.js';
import { ENGINE, MODULAR, MODULES, needsPage } from './packages.js';

/**
 * @typedef {(name: string) => (event: any) => void} ListenerOf
 * @typedef {{chat: any, version: string}} Loaded what methods are called on, and the version of the package
 */

/** What scenarios await of the engine, which shows states instead of events. */
const STATES = {
  chat: ['messageList', 'newMessageList'],
  conversation: ['conversationList', 'totalUnreadCount'],
  user: ['kickedOut', 'userProfile'],
};

/**
 * @param {string} name of the package, see packages.js
 * @param {{options: object, modules?: string[]}} how modules: of the build for bundlers, all for none given
 * @param {ListenerOf} listenerOf
 * @returns {Promise<Loaded>}
 */
export async function load(name, { options, modules = MODULES }, listenerOf) {
  if (name === ENGINE) return loadEngine(listenerOf);
  if (needsPage(name)) openPage();
  const modular = name === MODULAR;
  const sdk = modular ? await modularBuild() : createRequire(import.meta.url)(name);
  const chat = sdk.create(modular ? { ...options, modules: await loadModules(modules) } : options);
  chat.setLogLevel(4);
  for (const event of Object.values(sdk.EVENT)) chat.on(event, listenerOf(event));
  const signals = !modular || modules.includes('signaling-module') ? signalsOf(sdk, chat) : [];
  for (const event of signals) chat.addSignalingListener(event, listenerOf(event));
  return { chat, version: sdk.VERSION };
}

/** The names of the events of signalling, where the package has it. @param {any} sdk @param {any} chat @returns {string[]} */
function signalsOf(sdk, chat) {
  if (!chat.addSignalingListener) return [];
  return Object.values(sdk.TSignaling ?? {}).filter((value) => typeof value === 'string');
}

/**
 * The engine has one object from the start and takes the options of `create` at login. What it shows changes under
 * `<store>.<key>`.
 * @param {ListenerOf} listenerOf
 * @returns {Promise<Loaded>}
 */
async function loadEngine(listenerOf) {
  const { TUIChatEngine, TUIStore } = await import('@tencentcloud/chat-uikit-engine');
  for (const [store, keys] of Object.entries(STATES)) {
    TUIStore.watch(store, Object.fromEntries(keys.map((key) => {
      const listener = listenerOf(`${store}.${key}`);
      return [key, (/** @type {any} */ data) => listener({ data })];
    })));
  }
  return { chat: TUIChatEngine, version: createRequire(import.meta.url)(`${ENGINE}/package.json`).version };
}

/** The build for bundlers is written as a module, in a package that does not say so. */
async function modularBuild() {
  register(`data:text/javascript,${encodeURIComponent(`
    export const load = (url, context, next) =>
      next(url, /@tencentcloud\\/chat\\/.*\\.js$/.test(url) ? { ...context, format: 'module' } : context);
  `)}`);
  return (await import(MODULAR)).default;
}

/** @param {string[]} names */
async function loadModules(names) {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [
    name,
    (await import(`@tencentcloud/chat/modules/${name}.js`)).default,
  ])));
}
