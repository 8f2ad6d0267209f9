/** The client packages that scenarios run, by the names under which an application imports them. */

/** The build that an application gets by the name of the package. */
export const FULL = '@tencentcloud/chat';

/** The build for bundlers, in which most subjects beside messages are modules of their own. */
export const MODULAR = '@tencentcloud/chat/index.es.js';

/** The generation before. */
export const OLDER = 'tim-js-sdk';

/** What the user interface kits of generation 2 stand on; it makes an object of the full build at login. */
export const ENGINE = '@tencentcloud/chat-uikit-engine';

/** The builds of the lite package, by how much is in them. */
export const LITE = {
  basic: '@tencentcloud/lite-chat/basic',
  standard: '@tencentcloud/lite-chat/standard',
  professional: '@tencentcloud/lite-chat/professional',
};

/** Where the lite package asks for the texts of errors. */
export const ERROR_TEXTS = 'https://web.sdk.qcloud.com/im/download/error-message/v3/0.0.6/tim-error-message.txt';

/** All modules of the build for bundlers. */
export const MODULES = ['cloud-search-module', 'follow-module', 'group-module', 'relationship-module', 'signaling-module'];

const UNKNOWN_ERROR = 2903;

/** What runs where a scenario names no package: WHIMBREL_SDK_BUILD is `full`, which it is by default, or `modular`. */
export const DEFAULT = buildNamed(process.env.WHIMBREL_SDK_BUILD ?? 'full');

/** Whether the package opens its socket elsewhere whatever `proxyServer` says. @param {string} name */
export function ignoresProxyServer(name) {
  return Object.values(LITE).includes(name);
}

/**
 * Whether a call that would have left the machine is one that the package is known to make.
 * @param {string} name @param {import('./guard.js').Attempt} attempt
 */
export function isKnownToTry(name, attempt) {
  return ignoresProxyServer(name) && (attempt.redirected === true || attempt.to === ERROR_TEXTS);
}

/**
 * The number with which a method of a module rejects what the server refuses.
 *
 * The modules of the build for bundlers do not recognise the core's errors and put a number of their own in place.
 * @param {number} code of the server
 */
export function codeFromModule(code) {
  return DEFAULT === MODULAR ? UNKNOWN_ERROR : code;
}

/** Whether the package does not start outside a browser's page. @param {string} name */
export function needsPage(name) {
  return name === OLDER || ignoresProxyServer(name);
}

/** Whether the package has a list of conversations. @param {string} name */
export function listsConversations(name) {
  return name !== LITE.basic;
}

/** @param {string} build */
function buildNamed(build) {
  if (build === 'full') return FULL;
  if (build === 'modular') return MODULAR;
  throw new Error(`WHIMBREL_SDK_BUILD is ${build}, which is neither full nor modular`);
}
