/** Receipts for single messages. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

const withReceipt = { message: { needReadReceipt: true } };

test('a receipt reaches the sender, and history keeps it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'please confirm', withReceipt);
  const received = await bob.waitForText('please confirm');
  assert.equal(received.needReadReceipt, true);
  await bob.call('sendMessageReadReceipt', [received]);
  const receipt = await alice.waitFor('onMessageReadReceiptReceived', (one) => one.messageID === sent.ID);
  assert.equal(receipt.userID, bob.user);
  assert.equal(receipt.isPeerRead, true);
  assert.ok(Math.abs(receipt.timestamp - Date.now() / 1000) < 60);
  const [stored] = await (await world.login(alice)).history(bob);
  assert.equal(stored.needReadReceipt, true);
  assert.equal(stored.readReceiptInfo.isPeerRead, true);
});

test('other instances of the sender see the receipt too', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  const sent = await alice.sendText(bob, 'please confirm', withReceipt);
  await second.waitForText('please confirm');
  await bob.call('sendMessageReadReceipt', [await bob.waitForText('please confirm')]);
  await second.waitFor('onMessageReadReceiptReceived', (one) => one.messageID === sent.ID && one.isPeerRead);
});

test('reading a conversation is no receipt', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'please confirm', withReceipt);
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await bob.call('setMessageRead', { conversationID: alice.conversation });
  await alice.waitFor('onMessageReadByPeer', (message) => message.ID === sent.ID);
  const [stored] = await (await world.login(alice)).history(bob);
  assert.notEqual(stored.readReceiptInfo.isPeerRead, true);
  assert.deepEqual(alice.seen('onMessageReadReceiptReceived'), []);
});
