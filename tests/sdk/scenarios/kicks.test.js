/** Being logged out by somebody else: another instance, the back end, the clock. */

import assert from 'node:assert/strict';
import { clockPasses, nowSeconds } from '../harness/clock.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const KICKED_BY_ANOTHER_INSTANCE = 3003;
const SIGNATURE_EXPIRED = 3004;
const KICKED_BY_BACK_END = 3006;
const HOUR_SECONDS = 3600;

const world = await World.open();

/** Runs with another limit of simultaneous Web instances. @param {number} count @param {() => Promise<void>} scenario */
async function withInstances(count, scenario) {
  await world.app.set({ web_instances: count });
  try {
    await scenario();
  } finally {
    await world.app.set({ web_instances: 10 });
  }
}

test('with one instance allowed a new login ends the old one', () => withInstances(1, async () => {
  const [old] = await world.people('alice');
  const fresh = await world.login(old);
  const { type } = await old.waitFor('kickedOut');
  assert.equal(type, 'multipleAccount');
  await old.waitFor('sdkStateNotReady');
  await assert.rejects(old.sendText(fresh, 'still here?'), { code: KICKED_BY_ANOTHER_INSTANCE });
  const [bob] = await world.people('bob');
  await bob.sendText(fresh, 'hello');
  await fresh.waitForText('hello');
  assert.deepEqual(old.textsReceived, []);
  assert.deepEqual(fresh.seen('kickedOut'), []);
}));

test('the one who was ended may log in again, which ends the other', () => withInstances(1, async () => {
  const [one] = await world.people('alice');
  const other = await world.login(one);
  await one.waitFor('sdkStateNotReady');
  await one.login();
  await other.waitFor('kickedOut', ({ type }) => type === 'multipleAccount');
  assert.equal(one.seen('kickedOut').length, 1);
}));

test('with two instances allowed the third login ends the oldest', () => withInstances(2, async () => {
  const [first] = await world.people('alice');
  const second = await world.login(first);
  const third = await world.login(first);
  await first.waitFor('kickedOut', ({ type }) => type === 'multipleAccount');
  const [bob] = await world.people('bob');
  await bob.sendText(first, 'marker');
  for (const instance of [second, third]) {
    await instance.waitForText('marker');
    assert.deepEqual(instance.seen('kickedOut'), []);
  }
}));

test('a reconnecting instance ends nobody, itself neither', () => withInstances(1, async () => {
  const [bob] = await world.people('bob');
  const alice = await world.login(world.names('alice')[0], { tapped: true });
  for (let round = 1; round <= 3; round++) {
    alice.proxy.cut();
    // The SDK takes a young connection that is cut for a refusal, and then waits for something to send.
    await alice.sendText(bob, `back in round ${round}`);
    await bob.sendText(alice, `round ${round}`);
    await alice.waitForText(`round ${round}`);
  }
  assert.deepEqual(alice.seen('kickedOut'), []);
  assert.ok(alice.proxy.connections.length >= 4);
}));

test('an instance that logged out makes room', () => withInstances(1, async () => {
  const [first] = await world.people('alice');
  await first.call('logout');
  const second = await world.login(first);
  await second.call('logout');
  await first.login();
  assert.deepEqual([...first.seen('kickedOut'), ...second.seen('kickedOut')], []);
}));

test('the back end ends every instance of an account', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await world.rest('im_open_login_svc/kick', { UserID: alice.user });
  for (const instance of [alice, second]) {
    const { type } = await instance.waitFor('kickedOut');
    assert.equal(type, 'REST_API_Kick');
    await assert.rejects(instance.sendText(bob, 'still here?'), { code: KICKED_BY_BACK_END });
  }
  await bob.sendText(alice, 'unheard');
  await bob.sendText(bob, 'marker');
  assert.deepEqual([...alice.textsReceived, ...second.textsReceived], []);
});

test('a kick ends the signatures made before it, and only those', async () => {
  const [name] = world.names('alice');
  const before = world.app.sign(name, { ageSeconds: HOUR_SECONDS });
  const alice = await world.login(name, { signature: before });
  await world.rest('im_open_login_svc/kick', { UserID: name });
  await alice.waitFor('kickedOut', ({ type }) => type === 'REST_API_Kick');
  await assert.rejects(alice.call('login', { userID: name, userSig: before }), (/** @type {any} */ error) => error.code >= 70000 && error.code < 71000);
  // Signatures count whole seconds: one of the second of the kick is not after it.
  await clockPasses(nowSeconds() + 1);
  await alice.login();
});

test('a session ends with the signature that made it', async () => {
  const [name] = world.names('alice');
  const lifeSeconds = 6;
  const expiry = nowSeconds() + lifeSeconds;
  const alice = await world.login(name, {
    signature: world.app.sign(name, { expireSeconds: HOUR_SECONDS, ageSeconds: HOUR_SECONDS - lifeSeconds }),
  });
  await alice.sendText(alice, 'still valid');
  await clockPasses(expiry + 2);
  await assert.rejects(alice.sendText(alice, 'too late'), (/** @type {any} */ error) => [70001, 20002, SIGNATURE_EXPIRED].includes(error.code));
  await alice.waitFor('kickedOut', ({ type }) => type === 'userSigExpired');
  await assert.rejects(alice.sendText(alice, 'too late'), { code: SIGNATURE_EXPIRED });
  await alice.login();
  await alice.sendText(alice, 'valid again');
  // The SDK keeps the failed message in its own list, so another instance looks.
  const reader = await world.login(alice);
  assert.deepEqual((await reader.history(alice)).map((message) => message.payload.text), ['still valid', 'valid again']);
});
