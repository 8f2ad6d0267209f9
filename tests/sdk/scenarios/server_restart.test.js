/** The server stops, or dies, and comes back: clients go on by themselves, and nothing is lost or doubled. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

// Without anything to send, the SDK looks for the server at its next hello.
const RETURN_MS_MAX = 45_000;

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** @param {Client} client @param {string} text */
const waitLong = (client, text) => client.waitFor('onMessageReceived', (message) => message.payload?.text === text, { timeoutMs: RETURN_MS_MAX });

/** @param {Client} reader @param {Client} peer */
async function textsOf(reader, peer) {
  return (await (await world.login(reader)).history(peer)).map((message) => message.payload.text);
}

test('after a restart clients come back without logging in, and everything is there once', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  for (const text of ['one', 'two', 'three']) await alice.sendText(bob, text);
  await bob.waitForText('three');
  assert.equal(await world.server.stop(), 0, 'exit code');
  await world.server.start();
  await alice.sendText(bob, 'four');
  await waitLong(bob, 'four');
  await bob.sendText(alice, 'five');
  await waitLong(alice, 'five');
  for (const client of [alice, bob]) {
    assert.equal(client.seen('sdkStateReady').length, 1);
    assert.deepEqual(client.seen('kickedOut'), []);
  }
  assert.deepEqual(bob.textsReceived, ['one', 'two', 'three', 'four']);
  assert.deepEqual((await textsOf(bob, alice)).toSorted(), ['five', 'four', 'one', 'three', 'two']);
});

test('a client that has nothing to say comes back by itself', async () => {
  const alice = await world.login(world.names('alice')[0], { tapped: true });
  // The last thing that the SDK sends of its own accord before its next hello.
  await alice.proxy.waitFor('the end of the start-up', ({ from, head }) => from === 'server' && head.servcmd === 'im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2');
  await world.server.stop();
  await alice.waitFor('netStateChange', ({ state }) => state === 'disconnected');
  const since = alice.events.length;
  await world.server.start();
  await alice.waitFor('netStateChange', ({ state }) => state === 'connected', { since, timeoutMs: RETURN_MS_MAX });
  const [bob] = await world.people('bob');
  await bob.sendText(alice, 'welcome back');
  await waitLong(alice, 'welcome back');
});

test('after a crash under load every acknowledged message exists once, and the rest at most once', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const texts = Array.from({ length: 60 }, (_, index) => `number ${index}`);
  /** @type {any[]} */
  const created = [];
  for (const text of texts) {
    created.push(await alice.call('createTextMessage', { to: bob.user, conversationType: 'C2C', payload: { text } }));
  }
  // A few in flight at a time, so that the crash meets messages in every state.
  /** @type {boolean[]} */
  const outcomes = [];
  /** @type {Promise<void> | undefined} */
  let crash;
  let next = 0;
  const sendAll = async () => {
    while (next < created.length) {
      const index = next++;
      outcomes[index] = await alice.call('sendMessage', created[index]).then(() => true, () => false);
      if (outcomes.filter(Boolean).length >= 20) crash ??= world.server.kill().then(() => world.server.start());
    }
  };
  await Promise.all(Array.from({ length: 8 }, sendAll));
  await crash;
  const stored = await textsOf(bob, alice);
  assert.equal(new Set(stored).size, stored.length, 'something is stored twice');
  for (const [index, sent] of outcomes.entries()) {
    if (sent) assert.ok(stored.includes(texts[index]), `${texts[index]} was acknowledged and is lost`);
  }
  for (const [index, message] of created.entries()) {
    if (!outcomes[index]) await alice.call('resendMessage', message);
  }
  await alice.sendText(bob, 'marker');
  await waitLong(bob, 'marker');
  assert.deepEqual((await textsOf(bob, alice)).toSorted(), [...texts, 'marker'].toSorted());
  assert.deepEqual((await textsOf(alice, bob)).toSorted(), [...texts, 'marker'].toSorted());
  assert.deepEqual(bob.textsReceived.toSorted(), [...texts, 'marker'].toSorted());
});

test('what one account set survives a crash', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.call('updateMyProfile', { nick: 'Alice' });
  await alice.call('addToBlacklist', { userIDList: [carol.user] });
  await bob.sendText(alice, 'one');
  const rash = await bob.sendText(alice, 'two');
  await bob.call('revokeMessage', rash);
  await alice.conversationWhere(bob, (one) => one?.unreadCount > 0);
  await alice.call('setMessageRead', { conversationID: bob.conversation });
  await alice.call('pinConversation', { conversationID: bob.conversation, isPinned: true });
  await world.server.kill();
  await world.server.start();
  const reader = await world.login(alice);
  const kept = await reader.conversationWhere(bob, (one) => one?.isPinned);
  assert.equal(kept.unreadCount, 0);
  assert.deepEqual((await reader.history(bob)).map((message) => message.isRevoked), [false, true]);
  assert.equal((await reader.call('getMyProfile')).nick, 'Alice');
  assert.deepEqual(await reader.call('getBlacklist'), [carol.user]);
});
