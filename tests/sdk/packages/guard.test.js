/** What keeps instances on this machine, tried out: everything that Node can call out with is refused and told. */

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { WebSocket } from 'ws';
import { stayOnThisMachine } from '../harness/guard.js';
import { test } from '../harness/test.js';

// Names and addresses that are reserved for examples: should the guard fail, nobody is bothered.
const NAME = 'elsewhere.invalid';
const ADDRESS = '192.0.2.1';

/** @type {import('../harness/guard.js').Attempt[]} */
const attempts = [];
stayOnThisMachine((attempt) => attempts.push(attempt));

/** Resolves with the error of something that emits one. @param {import('node:events').EventEmitter} emitter @returns {Promise<Error>} */
function errorOf(emitter) {
  return new Promise((resolve) => { emitter.once('error', resolve); });
}

/** Resolves with the error given to a callback. @param {(done: (error: any) => void) => void} ask @returns {Promise<Error>} */
function errorGiven(ask) {
  return new Promise((resolve) => { ask(resolve); });
}

/** Resolves with the reason of a promise. @param {() => Promise<any>} call @returns {Promise<Error>} */
async function reasonOf(call) {
  return call().then(() => assert.fail('it went through'), (error) => error);
}

/** @type {Record<string, [string, string, () => Promise<Error>]>} by what and where to it is told, and the call */
const CALLS = {
  'net to a name': ['connection', NAME, () => errorOf(net.connect(443, NAME))],
  'net to an address': ['connection', ADDRESS, () => errorOf(net.connect({ port: 443, host: ADDRESS }))],
  'a socket': ['connection', ADDRESS, () => errorOf(new net.Socket().connect(443, ADDRESS))],
  tls: ['connection', ADDRESS, () => errorOf(tls.connect(443, ADDRESS))],
  http: ['connection', NAME, () => errorOf(http.get(`http://${NAME}/`))],
  https: ['connection', NAME, () => errorOf(https.get(`https://${NAME}/`))],
  fetch: ['connection', NAME, () => reasonOf(() => fetch(`https://${NAME}/`))],
  WebSocket: ['connection', NAME, () => errorOf(new WebSocket(`wss://${NAME}/`))],
  XMLHttpRequest: ['XMLHttpRequest', `https://${NAME}/`, requestError],
  'a datagram': ['datagram', `443 ${ADDRESS}`, () => reasonOf(async () => dgram.createSocket('udp4').send('', 443, ADDRESS))],
  'dns.lookup': ['name', NAME, () => errorGiven((done) => dns.lookup(NAME, done))],
  'dns.resolve4': ['name', NAME, () => errorGiven((done) => dns.resolve4(NAME, done))],
  'dns.Resolver': ['name', NAME, () => errorGiven((done) => new dns.Resolver().resolve(NAME, done))],
  'dns.promises': ['name', NAME, () => reasonOf(() => dns.promises.lookup(NAME))],
  'dns.promises.Resolver': ['name', NAME, () => reasonOf(() => new dns.promises.Resolver().resolve4(NAME))],
};

/** @returns {Promise<Error>} */
function requestError() {
  const request = new XMLHttpRequest();
  return new Promise((resolve) => {
    request.onerror = () => resolve(new Error(`status ${request.status}`));
    request.open('GET', `https://${NAME}/`);
    request.send();
  });
}

for (const [title, [by, to, call]] of Object.entries(CALLS)) {
  test(`${title} does not leave this machine`, async () => {
    attempts.length = 0;
    assert.ok(await call() instanceof Error);
    assert.deepEqual(attempts, [{ by, to }]);
  });
}

test('this machine is reached as ever', async () => {
  attempts.length = 0;
  const server = http.createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.once('listening', resolve); });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here');
  assert.equal((await dns.promises.lookup('localhost')).family > 0, true);
  assert.deepEqual(attempts, []);
  server.closeAllConnections();
  server.close();
});
