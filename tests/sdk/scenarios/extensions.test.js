/** Keys and values that both sides set on a message. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const CONFLICT = 23001;
const NO_SUCH_KEY = 23004;

const world = await World.open();

const withExtensions = { message: { isSupportExtension: true } };

/** Alice asks bob; both of her instances and his one have the message. */
async function poll() {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  const sent = await alice.sendText(bob, 'tea or coffee?', withExtensions);
  const received = await bob.waitForText('tea or coffee?');
  const copy = await second.waitForText('tea or coffee?');
  assert.equal(received.isSupportExtension, true);
  return { alice, second, bob, sent, received, copy };
}

/** @param {any[]} extensions */
const pairs = (extensions) => extensions.map(({ key, value }) => [key, value]);

test('what one side sets reaches the other and the other instances', async () => {
  const { alice, second, bob, sent, received, copy } = await poll();
  const answer = await bob.call('setMessageExtensions', received, [{ key: bob.user, value: 'tea' }, { key: 'milk', value: 'no' }]);
  assert.deepEqual(answer.extensions.map((/** @type {any} */ one) => one.code), [0, 0]);
  for (const client of [alice, second]) {
    const told = await client.waitFor('onMessageExtensionsUpdated', (one) => one.messageID === sent.ID);
    assert.deepEqual(pairs(told.extensions), [[bob.user, 'tea'], ['milk', 'no']]);
  }
  for (const [client, message] of /** @type {const} */ ([[alice, sent], [second, copy], [bob, received]])) {
    const { extensions } = await client.call('getMessageExtensions', message);
    assert.deepEqual(pairs(extensions), [[bob.user, 'tea'], ['milk', 'no']]);
  }
  assert.deepEqual(bob.seen('onMessageExtensionsUpdated'), [], 'who did it knows');
});

test('a key that somebody else set meanwhile is refused with its value, and can be set then', async () => {
  const { alice, bob, sent, received } = await poll();
  await alice.call('setMessageExtensions', sent, [{ key: 'winner', value: 'coffee' }]);
  await bob.waitFor('onMessageExtensionsUpdated', (one) => one.messageID === sent.ID);
  const reader = await world.login(bob);
  const [message] = await reader.history(alice);
  const refused = await reader.call('setMessageExtensions', message, [{ key: 'winner', value: 'tea' }]);
  assert.deepEqual(refused.extensions.map((/** @type {any} */ one) => [one.code, one.value]), [[CONFLICT, 'coffee']]);
  const done = await reader.call('setMessageExtensions', message, [{ key: 'winner', value: 'tea' }]);
  assert.equal(done.extensions[0].code, 0);
  await alice.waitFor('onMessageExtensionsUpdated', (one) => pairs(one.extensions)[0][1] === 'tea');
  assert.deepEqual(pairs((await bob.call('getMessageExtensions', received)).extensions), [['winner', 'tea']]);
});

test('keys are deleted one by one and all at once', async () => {
  const { alice, second, bob, sent, received } = await poll();
  const three = ['a', 'b', 'c'].map((key) => ({ key, value: '1' }));
  await alice.call('setMessageExtensions', sent, three);
  await bob.waitFor('onMessageExtensionsUpdated', (one) => one.messageID === sent.ID);
  const answer = await bob.call('deleteMessageExtensions', received, ['a', 'unknown']);
  assert.deepEqual(answer.extensions.map((/** @type {any} */ one) => one.code), [0, NO_SUCH_KEY]);
  for (const client of [alice, second]) {
    await client.waitFor('onMessageExtensionsDeleted', (one) => one.messageID === sent.ID && one.keyList.join() === 'a');
  }
  await alice.call('deleteMessageExtensions', sent);
  const told = await bob.waitFor('onMessageExtensionsDeleted', (one) => one.keyList.length === 2);
  assert.deepEqual(told.keyList, ['b', 'c']);
  for (const [client, message] of /** @type {const} */ ([[alice, sent], [bob, received]])) {
    assert.deepEqual((await client.call('getMessageExtensions', message)).extensions, []);
  }
});

test('extensions are there at the next login', async () => {
  const { alice, bob, sent } = await poll();
  const values = Array.from({ length: 20 }, (_, number) => ({ key: `key ${number}`, value: `value ${number}` }));
  await alice.call('setMessageExtensions', sent, values);
  const reader = await world.login(bob);
  const [message] = await reader.history(alice);
  const { extensions } = await reader.call('getMessageExtensions', message);
  assert.deepEqual(pairs(extensions), values.map(({ key, value }) => [key, value]));
});

test('a message that was recalled has none any more', async () => {
  const { alice, bob, sent, received } = await poll();
  await alice.call('setMessageExtensions', sent, [{ key: 'canary-51c2', value: 'canary-51c2' }]);
  await alice.call('revokeMessage', sent);
  await bob.waitFor('onMessageRevoked', (message) => message.ID === sent.ID);
  await assert.rejects(bob.call('getMessageExtensions', received));
});

test('the back end sets them too', async () => {
  const { alice, bob, sent } = await poll();
  await world.rest('openim_msg_ext_http_svc/set_key_values', {
    From_Account: alice.user,
    To_Account: bob.user,
    MsgKey: `${sent.sequence}_${sent.random}_${sent.time}`,
    OperateType: 1,
    ExtensionList: [{ Key: 'closed', Value: 'yes' }],
  });
  for (const client of [alice, bob]) {
    await client.waitFor('onMessageExtensionsUpdated', (one) => pairs(one.extensions).join() === 'closed,yes');
  }
});
