/** A second instance of an account follows everything that the first does. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** Two instances of alice and one of bob, with one message from bob that both have received. */
async function twoOfAlice() {
  const [first, bob] = await world.people('alice', 'bob');
  const second = await world.login(first);
  await bob.sendText(first, 'for both');
  await Promise.all([first.waitForText('for both'), second.waitForText('for both')]);
  return { first, second, bob };
}

test('what one instance sends the other shows as sent', async () => {
  const { first, second, bob } = await twoOfAlice();
  const sent = await first.sendText(bob, 'from the first');
  const copy = await second.waitForText('from the first');
  assert.equal(copy.flow, 'out');
  assert.equal(copy.from, first.user);
  assert.equal(copy.to, bob.user);
  assert.equal(copy.conversationID, bob.conversation);
  assert.equal(copy.ID, sent.ID);
  await bob.waitForText('from the first');
});

test('an instance gets no copy of what it sent itself', async () => {
  const { first, second, bob } = await twoOfAlice();
  await first.sendText(bob, 'own');
  await second.sendText(bob, 'marker');
  await first.waitForText('marker');
  assert.deepEqual(first.textsReceived, ['for both', 'marker']);
});

test('both instances of the receiver get a message once', async () => {
  const { first, second, bob } = await twoOfAlice();
  await bob.sendText(first, 'marker');
  for (const instance of [first, second]) {
    await instance.waitForText('marker');
    assert.deepEqual(instance.textsReceived, ['for both', 'marker']);
  }
});

test('what one instance has read is read at the other', async () => {
  const { first, second, bob } = await twoOfAlice();
  await second.conversationWhere(bob, (one) => one?.unreadCount === 1);
  await first.conversationWhere(bob, (one) => one?.unreadCount === 1);
  await first.call('setMessageRead', { conversationID: bob.conversation });
  await second.conversationWhere(bob, (one) => one?.unreadCount === 0);
});

test('pinning, and pinning no more, show at the other instance', async () => {
  const { first, second, bob } = await twoOfAlice();
  await first.call('pinConversation', { conversationID: bob.conversation, isPinned: true });
  await second.conversationWhere(bob, (one) => one?.isPinned === true);
  await first.call('pinConversation', { conversationID: bob.conversation, isPinned: false });
  await second.conversationWhere(bob, (one) => one?.isPinned === false);
});

test('marks and custom data of a conversation show at the other instance', async () => {
  const { first, second, bob } = await twoOfAlice();
  const conversationIDList = [bob.conversation];
  await first.call('markConversation', { conversationIDList, markType: 1, enableMark: true });
  await first.call('markConversation', { conversationIDList, markType: 4, enableMark: true });
  await second.conversationWhere(bob, (one) => String(one?.markList) === '1,4');
  await first.call('markConversation', { conversationIDList, markType: 1, enableMark: false });
  await second.conversationWhere(bob, (one) => String(one?.markList) === '4');
  await first.call('setConversationCustomData', { conversationIDList, customData: 'customer 7' });
  await second.conversationWhere(bob, (one) => one?.customData === 'customer 7');
});

test('the remind type shows at the other instance', async () => {
  const { first, second, bob } = await twoOfAlice();
  await second.conversationWhere(bob, (one) => one?.messageRemindType === 'AcceptAndNotify');
  await first.call('setMessageRemindType', { userIDList: [bob.user], messageRemindType: 'AcceptNotNotify' });
  await second.conversationWhere(bob, (one) => one?.messageRemindType === 'AcceptNotNotify');
});

test('a deleted conversation goes at the other instance', async () => {
  const { first, second, bob } = await twoOfAlice();
  await second.conversationWhere(bob, (one) => one !== undefined);
  await first.call('deleteConversation', bob.conversation);
  await second.until('no conversation', () => second.conversations(), (list) => list.length === 0);
});

test('a recall shows at the other instance of both sides', async () => {
  const { first, second, bob } = await twoOfAlice();
  const secondBob = await world.login(bob);
  const sent = await first.sendText(bob, 'rash');
  await Promise.all([second, bob, secondBob].map((instance) => instance.waitForText('rash')));
  await first.call('revokeMessage', sent);
  for (const instance of [second, bob, secondBob]) {
    await instance.waitFor('onMessageRevoked', (message) => message.ID === sent.ID);
  }
});

test('the block list is the same at the other instance', async () => {
  const { first, second, bob } = await twoOfAlice();
  await first.call('addToBlacklist', { userIDList: [bob.user] });
  await second.until('the new entry', () => second.call('getBlacklist'), (list) => list.includes(bob.user));
  await first.call('removeFromBlacklist', { userIDList: [bob.user] });
  await second.until('no entry', () => second.call('getBlacklist'), (list) => !list.includes(bob.user));
});

test('changes of the own profile show at the other instance', async () => {
  const { first, second } = await twoOfAlice();
  await first.call('updateMyProfile', { nick: 'Alice in blue', selfSignature: 'at sea' });
  const profile = await second.waitFor('onProfileUpdated', (one) => one.nick === 'Alice in blue');
  assert.equal(profile.userID, first.user);
});
