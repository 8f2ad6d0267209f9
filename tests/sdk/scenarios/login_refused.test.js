/** Logins that must fail, with the code that says why, and leave the SDK able to log in. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { App } from '../harness/app.js';
import { World } from '../harness/world.js';

const world = await World.open();

/**
 * Tries to log in, and then for good on the same SDK object.
 * @param {(user: string) => string} signatureFor
 * @param {number[]} codes
 */
async function refused(signatureFor, codes) {
  const alice = await world.instance(world.names('alice')[0]);
  await assert.rejects(alice.login(signatureFor(alice.user)), (/** @type {any} */ error) => {
    assert.ok(codes.includes(error.code), `${error.message}; expected one of ${codes}`);
    return true;
  });
  assert.deepEqual(alice.seen('sdkStateReady'), []);
  await alice.login();
}

test('an expired signature is refused as expired', () => refused(
  (user) => world.app.sign(user, { expireSeconds: 60, ageSeconds: 3600 }),
  [70001],
));

test('a signature made with another key is refused', () => refused(
  (user) => world.app.sign(user, { key: 'f'.repeat(64) }),
  [70009],
));

test('a signature for another user is refused', () => refused(
  (user) => world.app.sign(`not-${user}`),
  [70013, 70009],
));

test('a signature of another app of the same server is refused', async () => {
  const other = await App.create(world.server, 'other');
  await refused((user) => other.sign(user), [70014, 70009]);
});

test('a signature that is none is refused', () => refused(() => 'eJyrVgrxCdYrSy1SslIy0jNQ', [70003, 70009]));

test('an app that does not exist is refused', async () => {
  const nowhere = new App(world.server, { SDKAppID: 1499999999, Key: world.app.key, Administrator: 'administrator' });
  const alice = await world.instance(world.names('alice')[0], { app: nowhere });
  await assert.rejects(alice.login(), (/** @type {any} */ error) => error.code >= 60000 && error.code < 80000);
});

test('two apps of one server do not see each other', async () => {
  const other = await App.create(world.server, 'other');
  const [alice, bob] = await world.people('alice', 'bob');
  const namesake = await world.instance(bob, { app: other });
  await namesake.login();
  await alice.sendText(bob, 'for bob of this app');
  await bob.waitForText('for bob of this app');
  const [stranger] = await Promise.all([world.instance(alice, { app: other })]);
  await stranger.login();
  await stranger.sendText(namesake, 'for bob of the other app');
  await namesake.waitForText('for bob of the other app');
  assert.deepEqual(namesake.textsReceived, ['for bob of the other app']);
  assert.deepEqual((await namesake.history(alice)).map((message) => message.payload.text), ['for bob of the other app']);
});
