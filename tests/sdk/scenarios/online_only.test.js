/** Messages for whoever is online, and messages that are not counted. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

test('an online-only message arrives, and leaves no history, no unread count and no last message', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'lasting');
  await alice.sendText(bob, 'fleeting', { send: { onlineUserOnly: true } });
  await bob.waitForText('fleeting');
  const reader = await world.login(bob);
  assert.deepEqual((await reader.history(alice)).map((message) => message.payload.text), ['lasting']);
  const conversation = await reader.conversationWhere(alice, (one) => one?.unreadCount === 1);
  assert.equal(conversation.lastMessage.messageForShow, 'lasting');
});

test('an online-only message is not kept for who is away', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.close();
  await alice.sendText(bob, 'fleeting', { send: { onlineUserOnly: true } });
  const back = await world.login(bob);
  await alice.sendText(bob, 'marker');
  await back.waitForText('marker');
  assert.deepEqual(back.textsReceived, ['marker']);
  assert.deepEqual((await back.history(alice)).map((message) => message.payload.text), ['marker']);
});

test('an online-only message over REST behaves the same', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('openim/sendmsg', {
    From_Account: alice.user,
    To_Account: bob.user,
    OnlineOnlyFlag: 1,
    MsgRandom: randomNumber(),
    MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'fleeting' } }],
  });
  await bob.waitForText('fleeting');
  const reader = await world.login(bob);
  assert.deepEqual(await reader.history(alice), []);
  assert.deepEqual(await reader.conversations(), []);
});

test('a message sent without counting is stored and does not count', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'counted');
  await alice.sendText(bob, 'not counted', { send: { messageControlInfo: { excludedFromUnreadCount: true } } });
  await bob.waitForText('not counted');
  const reader = await world.login(bob);
  await reader.conversationWhere(alice, (one) => one?.unreadCount === 1);
  assert.equal((await reader.history(alice)).length, 2);
});

test('a message sent without becoming the last one does not', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'shown');
  await alice.sendText(bob, 'not shown', { send: { messageControlInfo: { excludedFromLastMessage: true } } });
  await bob.waitForText('not shown');
  const reader = await world.login(bob);
  const conversation = await reader.conversationWhere(alice, (one) => one?.unreadCount === 2);
  assert.equal(conversation.lastMessage.messageForShow, 'shown');
});
