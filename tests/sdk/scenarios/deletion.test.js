/** Deleting for oneself: messages, a history, a whole conversation. The other side keeps everything. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** Bob has received three messages from alice. */
async function threeMessages() {
  const [alice, bob] = await world.people('alice', 'bob');
  for (const text of ['one', 'two', 'three']) await alice.sendText(bob, text);
  await bob.waitForText('three');
  return { alice, bob };
}

/** What a new instance reads. @param {any} who @param {any} peer */
async function textsOf(who, peer) {
  return (await (await world.login(who)).history(peer)).map((message) => message.payload.text);
}

test('a deleted message is gone for who deleted it, and only for them', async () => {
  const { alice, bob } = await threeMessages();
  const received = await bob.waitForText('two');
  await bob.call('deleteMessage', [received]);
  assert.deepEqual(await textsOf(bob, alice), ['one', 'three']);
  assert.deepEqual(await textsOf(alice, bob), ['one', 'two', 'three']);
});

test('several messages can be deleted at once, own ones too', async () => {
  const { alice, bob } = await threeMessages();
  const reader = await world.login(alice);
  const own = await reader.history(bob);
  await reader.call('deleteMessage', own.slice(0, 2));
  assert.deepEqual(await textsOf(alice, bob), ['three']);
  assert.deepEqual(await textsOf(bob, alice), ['one', 'two', 'three']);
});

test('clearing the history empties one side and keeps the conversation', async () => {
  const { alice, bob } = await threeMessages();
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 3);
  await bob.call('clearHistoryMessage', alice.conversation);
  assert.deepEqual(await textsOf(bob, alice), []);
  assert.deepEqual(await textsOf(alice, bob), ['one', 'two', 'three']);
  const reader = await world.login(bob);
  await reader.conversationWhere(alice, (one) => one?.unreadCount === 0);
});

test('what comes after clearing is there', async () => {
  const { alice, bob } = await threeMessages();
  await bob.conversationWhere(alice, (one) => one !== undefined);
  await bob.call('clearHistoryMessage', alice.conversation);
  await alice.sendText(bob, 'four');
  assert.deepEqual(await textsOf(bob, alice), ['four']);
});

test('deleting a conversation takes its history along', async () => {
  const { alice, bob } = await threeMessages();
  await bob.conversationWhere(alice, (one) => one !== undefined);
  await bob.call('deleteConversation', alice.conversation);
  assert.deepEqual(await (await world.login(bob)).conversations(), []);
  await alice.sendText(bob, 'four');
  const reader = await world.login(bob);
  await reader.conversationWhere(alice, (one) => one?.unreadCount === 1);
  assert.deepEqual(await textsOf(bob, alice), ['four']);
  assert.deepEqual(await textsOf(alice, bob), ['one', 'two', 'three', 'four']);
});

test('a conversation can be deleted without its history', async () => {
  const { alice, bob } = await threeMessages();
  await bob.conversationWhere(alice, (one) => one !== undefined);
  await bob.call('deleteConversation', { conversationIDList: [alice.conversation], clearHistoryMessage: false });
  assert.deepEqual(await (await world.login(bob)).conversations(), []);
  assert.deepEqual(await textsOf(bob, alice), ['one', 'two', 'three']);
});
