/** Unread counts, reading, and what the other side learns of it. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** @param {Client} client @param {number} count */
const totalIs = (client, count) => client.until(
  `a total of ${count}`,
  () => client.call('getTotalUnreadMessageCount'),
  (total) => total === count,
);

test('each message counts, per conversation and in total, live and after a login', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.sendText(bob, '1');
  await alice.sendText(bob, '2');
  await carol.sendText(bob, '3');
  for (const reader of [bob, await world.login(bob)]) {
    await reader.conversationWhere(alice, (one) => one?.unreadCount === 2);
    await reader.conversationWhere(carol, (one) => one?.unreadCount === 1);
    await totalIs(reader, 3);
  }
});

test('own messages never count', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await alice.sendText(bob, 'mine');
  await second.waitForText('mine');
  for (const reader of [alice, second, await world.login(alice)]) {
    await reader.conversationWhere(bob, (one) => one?.unreadCount === 0);
  }
});

test('reading a conversation clears its count for good and leaves the others', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.sendText(bob, '1');
  await carol.sendText(bob, '2');
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await bob.conversationWhere(carol, (one) => one?.unreadCount === 1);
  await bob.call('setMessageRead', { conversationID: alice.conversation });
  for (const reader of [bob, await world.login(bob)]) {
    await reader.conversationWhere(carol, (one) => one?.unreadCount === 1);
    await reader.conversationWhere(alice, (one) => one?.unreadCount === 0);
    await totalIs(reader, 1);
  }
});

test('the sender learns that the peer has read', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'read me');
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await bob.call('setMessageRead', { conversationID: alice.conversation });
  await alice.waitFor('onMessageReadByPeer', (message) => message.ID === sent.ID && message.isPeerRead);
  await alice.conversationWhere(bob, (one) => one?.lastMessage.isPeerRead === true);
});

test('the sender learns at the next login that the peer has read', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'read me');
  await alice.close();
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await bob.call('setMessageRead', { conversationID: alice.conversation });
  const back = await world.login(alice);
  await back.conversationWhere(bob, (one) => one?.lastMessage.isPeerRead === true && one.peerReadTime > 0);
});

test('reading everything clears every count, here and at the other instance', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const second = await world.login(bob);
  await alice.sendText(bob, '1');
  await carol.sendText(bob, '2');
  await totalIs(bob, 2);
  await totalIs(second, 2);
  await bob.call('setAllMessageRead', { scope: 'readAllC2CMessage' });
  for (const reader of [bob, second, await world.login(bob)]) await totalIs(reader, 0);
  const { AllC2CUnreadMsgNum } = await world.rest('openim/get_c2c_unread_msg_num', { To_Account: bob.user });
  assert.equal(AllC2CUnreadMsgNum, 0);
});

test('what arrives after reading counts again', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'before');
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await bob.call('setMessageRead', { conversationID: alice.conversation });
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 0);
  await alice.sendText(bob, 'after');
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
});

test('a recalled message counts no more', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'stays');
  const rash = await alice.sendText(bob, 'rash');
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 2);
  await alice.call('revokeMessage', rash);
  await bob.waitFor('onMessageRevoked');
  const reader = await world.login(bob);
  await reader.conversationWhere(alice, (one) => one?.unreadCount === 1);
});

test('a silenced conversation counts by itself but not in the total', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.call('setMessageRemindType', { userIDList: [alice.user], messageRemindType: 'AcceptNotNotify' });
  await alice.sendText(bob, 'quietly');
  const reader = await world.login(bob);
  await reader.conversationWhere(alice, (one) => one?.unreadCount === 1 && one.messageRemindType === 'AcceptNotNotify');
  await totalIs(reader, 0);
});
