/** Somebody was away: the next login shows everything that happened. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

test('the next login shows counts, last messages and history of what came meanwhile', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await bob.close();
  for (const text of ['one', 'two', 'three']) await alice.sendText(bob, text);
  await carol.sendText(bob, 'hello from carol');
  const back = await world.login(bob);
  const withAlice = await back.conversationWhere(alice, (one) => one?.unreadCount === 3);
  assert.equal(withAlice.lastMessage.messageForShow, 'three');
  await back.conversationWhere(carol, (one) => one?.unreadCount === 1);
  await back.until('a total of 4', () => back.call('getTotalUnreadMessageCount'), (total) => total === 4);
  assert.deepEqual((await back.history(alice)).map((message) => message.payload.text), ['one', 'two', 'three']);
  assert.deepEqual(back.textsReceived, [], 'history is not told as news');
});

test('somebody who never logged in before finds what was written to them', async () => {
  const [alice] = await world.people('alice');
  const [name] = world.names('bob');
  await world.rest('im_open_login_svc/account_import', { UserID: name, Nick: 'Bob' });
  await alice.sendText(name, 'welcome');
  const bob = await world.login(name);
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  assert.equal((await bob.call('getMyProfile')).nick, 'Bob');
});

test('what was recalled meanwhile is shown as recalled', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'rash');
  await bob.waitForText('rash');
  await bob.close();
  await alice.call('revokeMessage', sent);
  const back = await world.login(bob);
  assert.deepEqual((await back.history(alice)).map((message) => message.isRevoked), [true]);
});

test('what was read at another instance meanwhile is read', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(bob);
  await alice.sendText(bob, 'read me');
  await bob.waitForText('read me');
  await bob.close();
  await second.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await second.call('setMessageRead', { conversationID: alice.conversation });
  await (await world.login(bob)).conversationWhere(alice, (one) => one?.unreadCount === 0);
});
