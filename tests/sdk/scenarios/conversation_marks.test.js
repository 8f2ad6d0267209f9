/** What can be noted about conversations, and how a list is asked for a part of it. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

/** Star, unread, fold, hide. */
const MARKS = [1, 2, 4, 8];

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** Alice, at two instances, has been written to by bob and carol. */
async function written() {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const second = await world.login(alice);
  for (const peer of [bob, carol]) {
    await peer.sendText(alice, 'hello');
    for (const instance of [alice, second]) await instance.conversationWhere(peer, (one) => one !== undefined);
  }
  return { alice, second, bob, carol };
}

/** @param {Client} client @param {object} filter */
async function filtered(client, filter) {
  const { conversationList } = await client.call('getConversationList', filter);
  return conversationList.map((/** @type {any} */ one) => one.conversationID).sort();
}

test('every mark is set and taken away by itself, here, at the other instance and at the next login', async () => {
  const { alice, second, bob } = await written();
  const conversationIDList = [bob.conversation];
  for (const markType of MARKS) {
    await alice.call('markConversation', { conversationIDList, markType, enableMark: true });
  }
  for (const instance of [alice, second, await world.login(alice)]) {
    await instance.conversationWhere(bob, (one) => String(one?.markList) === String(MARKS));
  }
  for (const markType of [2, 8]) {
    await second.call('markConversation', { conversationIDList, markType, enableMark: false });
  }
  for (const instance of [alice, second, await world.login(alice)]) {
    await instance.conversationWhere(bob, (one) => String(one?.markList) === '1,4');
  }
});

test('several conversations are marked at once, and a list can be asked for those', async () => {
  const { alice, bob, carol } = await written();
  const both = [bob.conversation, carol.conversation].sort();
  const marked = await alice.call('markConversation', { conversationIDList: both, markType: 1, enableMark: true });
  assert.deepEqual(marked.successConversationIDList.sort(), both);
  await alice.call('markConversation', { conversationIDList: [carol.conversation], markType: 4, enableMark: true });
  const reader = await world.login(alice);
  await reader.conversationWhere(carol, (one) => one?.markList.length === 2);
  await reader.conversationWhere(bob, (one) => one?.markList.length === 1);
  assert.deepEqual(await filtered(reader, { markType: 1 }), both);
  assert.deepEqual(await filtered(reader, { markType: 4 }), [carol.conversation]);
  assert.deepEqual(await filtered(reader, { markType: 8 }), []);
});

test('a list can be asked for what is unread', async () => {
  const { alice, bob, carol } = await written();
  const reader = await world.login(alice);
  for (const peer of [bob, carol]) await reader.conversationWhere(peer, (one) => one?.unreadCount === 1);
  await reader.call('setMessageRead', { conversationID: bob.conversation });
  await reader.conversationWhere(bob, (one) => one?.unreadCount === 0);
  assert.deepEqual(await filtered(reader, { hasUnreadCount: true }), [carol.conversation]);
  assert.deepEqual(await filtered(reader, { type: 'C2C' }), [bob.conversation, carol.conversation].sort());
  assert.deepEqual(await filtered(reader, { type: 'GROUP' }), []);
});

test('custom data is replaced, and emptied again', async () => {
  const { alice, second, bob } = await written();
  const conversationIDList = [bob.conversation];
  for (const customData of ['{"order":7}', 'größer als früher', '']) {
    const { successConversationIDList } = await alice.call('setConversationCustomData', { conversationIDList, customData });
    assert.deepEqual(successConversationIDList, conversationIDList);
    for (const instance of [alice, second, await world.login(alice)]) {
      await instance.conversationWhere(bob, (one) => one?.customData === customData);
    }
  }
});

test('a mark is for who set it', async () => {
  const { alice, bob } = await written();
  await alice.call('markConversation', { conversationIDList: [bob.conversation], markType: 1, enableMark: true });
  const reader = await world.login(bob);
  const seen = await reader.conversationWhere(alice, (one) => one !== undefined);
  assert.deepEqual(seen.markList, []);
});

test('a draft shows in the list until it is emptied', async () => {
  const { alice, bob, carol } = await written();
  const conversationID = bob.conversation;
  await alice.call('setConversationDraft', { conversationID, draftText: 'dear bob' });
  await alice.conversationWhere(bob, (one) => one?.draftText === 'dear bob');
  assert.equal((await alice.conversationWhere(carol, (one) => one !== undefined)).draftText, '');
  await alice.call('setConversationDraft', { conversationID, draftText: '' });
  await alice.conversationWhere(bob, (one) => one?.draftText === '');
});
