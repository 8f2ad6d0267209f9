/** The list of conversations, and what can be said about each. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open({ conversations: 200 });

/** @param {any[]} conversations */
const ids = (conversations) => conversations.map((one) => one.conversationID);

test('the list has one entry per peer with the last message, at both sides and at the next login', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.sendText(bob, 'first');
  await alice.sendText(bob, 'second');
  await carol.sendText(alice, 'third');
  for (const reader of [alice, await world.login(alice)]) {
    const withBob = await reader.conversationWhere(bob, (one) => one?.lastMessage.messageForShow === 'second');
    assert.equal(withBob.lastMessage.fromAccount, alice.user);
    assert.equal(withBob.type, 'C2C');
    await reader.conversationWhere(carol, (one) => one?.lastMessage.messageForShow === 'third');
    assert.equal((await reader.conversations()).length, 2);
  }
});

test('more conversations than fit on one page are all listed, once', async () => {
  const [alice] = await world.people('alice');
  const peers = Array.from({ length: 120 }, (_, index) => `peer-${index}-of-${alice.user}`);
  for (let from = 0; from < peers.length; from += 100) {
    await world.rest('im_open_login_svc/multiaccount_import', { Accounts: peers.slice(from, from + 100) });
  }
  for (const peer of peers) await alice.sendText(peer, `to ${peer}`);
  const reader = await world.login(alice);
  const list = ids(await reader.conversations());
  assert.deepEqual(list.sort(), peers.map((peer) => `C2C${peer}`).sort());
});

test('a pinned conversation stays on top until it is pinned no more', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await bob.sendText(alice, 'older');
  await carol.sendText(alice, 'newer');
  await alice.conversationWhere(bob, (one) => one !== undefined);
  await alice.call('pinConversation', { conversationID: bob.conversation, isPinned: true });
  const reader = await world.login(alice);
  const [first] = await reader.conversations();
  assert.equal(first.conversationID, bob.conversation);
  assert.equal(first.isPinned, true);
  await reader.call('pinConversation', { conversationID: bob.conversation, isPinned: false });
  const later = await world.login(alice);
  await later.conversationWhere(bob, (one) => one?.isPinned === false);
});

test('marks, custom data and the remind type are kept', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.sendText(alice, 'hello');
  await alice.conversationWhere(bob, (one) => one !== undefined);
  const conversationIDList = [bob.conversation];
  for (const markType of [1, 8]) {
    const { successConversationIDList } = await alice.call('markConversation', { conversationIDList, markType, enableMark: true });
    assert.deepEqual(successConversationIDList, conversationIDList);
  }
  await alice.call('setConversationCustomData', { conversationIDList, customData: '{"color":"blue"}' });
  await alice.call('setMessageRemindType', { userIDList: [bob.user], messageRemindType: 'Discard' });
  const reader = await world.login(alice);
  const kept = await reader.conversationWhere(bob, (one) => one?.markList.length === 2);
  assert.deepEqual(kept.markList, [1, 8]);
  assert.equal(kept.customData, '{"color":"blue"}');
  assert.equal(kept.messageRemindType, 'Discard');
  assert.deepEqual(ids((await reader.call('getConversationList', { markType: 8 })).conversationList), conversationIDList);
});

test('who is silenced is still heard by others, and what they write is kept', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('setMessageRemindType', { userIDList: [bob.user], messageRemindType: 'AcceptNotNotify' });
  await bob.sendText(alice, 'quietly');
  await alice.waitForText('quietly');
  const reader = await world.login(alice);
  assert.equal((await reader.history(bob)).length, 1);
});

test('a draft stays on the instance that wrote it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await bob.sendText(alice, 'hello');
  await Promise.all([alice, second].map((one) => one.conversationWhere(bob, (item) => item !== undefined)));
  await alice.call('setConversationDraft', { conversationID: bob.conversation, draftText: 'dear bob' });
  await alice.conversationWhere(bob, (one) => one?.draftText === 'dear bob');
  await bob.sendText(alice, 'marker');
  await second.waitForText('marker');
  assert.equal((await second.conversationWhere(bob, (one) => one !== undefined)).draftText, '');
});

test('the profile of a conversation names the peer', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.call('updateMyProfile', { nick: 'Bob of the bay' });
  await bob.sendText(alice, 'hello');
  await alice.waitForText('hello');
  const { conversation } = await alice.call('getConversationProfile', bob.conversation);
  assert.equal(conversation.userProfile.nick, 'Bob of the bay');
});
