/** Plain text between two people. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

test('what one writes the other reads, both ways', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'hello bob');
  const received = await bob.waitForText('hello bob');
  assert.equal(received.from, alice.user);
  assert.equal(received.to, bob.user);
  assert.equal(received.flow, 'in');
  assert.equal(received.conversationID, alice.conversation);
  await bob.sendText(alice, 'hello alice');
  await alice.waitForText('hello alice');
});

test('sender, receiver and history agree on identity and time', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'the same everywhere');
  const received = await bob.waitForText('the same everywhere');
  const reader = await world.login(bob);
  const [stored] = await reader.history(alice);
  for (const field of ['ID', 'time', 'clientTime', 'sequence', 'random', 'from', 'to', 'senderTinyID']) {
    assert.deepEqual(received[field], sent[field], `${field} as received`);
    assert.deepEqual(stored[field], sent[field], `${field} in history`);
  }
  assert.equal(sent.status, 'success');
});

test('messages arrive in the order in which they were sent', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const texts = Array.from({ length: 20 }, (_, index) => `number ${index}`);
  for (const text of texts) await alice.sendText(bob, text);
  await bob.waitForText('number 19');
  assert.deepEqual(bob.textsReceived, texts);
});

test('text survives in every script, and at every length up to the limit', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const texts = ['鷸鷺', 'مرحبا', '👩‍👩‍👧‍👦', '"\\\n\t\u2028</script>', '{"a":[1]}', ' ', 'x'.repeat(8000)];
  for (const text of texts) {
    await alice.sendText(bob, text);
    await bob.waitForText(text);
  }
  assert.deepEqual(bob.textsReceived, texts);
});

test('a message over 12 KB is refused and goes nowhere', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await assert.rejects(alice.sendText(bob, 'x'.repeat(20_000)), (/** @type {any} */ error) => [80002, 93000].includes(error.code));
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['marker']);
});

test('custom data of a message reaches receiver and history', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const cloudCustomData = JSON.stringify({ order: 'n° 7', emoji: '🦆' });
  await alice.sendText(bob, 'with data', { message: { cloudCustomData } });
  assert.equal((await bob.waitForText('with data')).cloudCustomData, cloudCustomData);
  const reader = await world.login(bob);
  assert.equal((await reader.history(alice))[0].cloudCustomData, cloudCustomData);
  await reader.conversationWhere(alice, (conversation) => conversation?.lastMessage.cloudCustomData === cloudCustomData);
});

test('settings of the offline push do not stand in the way', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const offlinePushInfo = { title: 'Bob', description: 'look', extension: '{"a":1}', androidInfo: { sound: 'ring.mp3' } };
  await alice.sendText(bob, 'with push settings', { send: { offlinePushInfo } });
  await bob.waitForText('with push settings');
});

test('writing to an account that does not exist is refused', async () => {
  const [alice] = await world.people('alice');
  await assert.rejects(alice.sendText('nobody-at-all', 'hello?'), (/** @type {any} */ error) => [20003, 90012, 90048].includes(error.code));
});

test('one can write to oneself', async () => {
  const [alice] = await world.people('alice');
  const second = await world.login(alice);
  await alice.sendText(alice, 'a note');
  await second.waitForText('a note');
  assert.deepEqual((await second.history(alice)).map((message) => message.payload.text), ['a note']);
});
