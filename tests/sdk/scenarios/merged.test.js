/** Merged messages, also such as are too large to travel in one message. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

/** Beyond this many bytes the SDK stores the list and sends its key. */
const INLINE_BYTES_MAX = 11_264;

const world = await World.open();

/** @param {any} payload */
const textsOf = (payload) => payload.messageList.map((/** @type {any} */ item) => item.messageBody?.[0]?.payload?.text ?? item.payload?.text);

/** What alice wrote to bob and bob to alice, as bob has it. @param {any} alice @param {any} bob @param {string[]} texts */
async function conversation(alice, bob, texts) {
  const messageList = [];
  for (const [index, text] of texts.entries()) {
    if (index % 2) {
      messageList.push(await bob.sendText(alice, text));
    } else {
      await alice.sendText(bob, text);
      messageList.push(await bob.waitForText(text));
    }
  }
  return messageList;
}

const long = Array.from({ length: 40 }, (_, index) => `${index} ${'words that fill a message '.repeat(80)}`);

test('a large merged message is stored, and each receiver reads all of it', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const second = await world.login(carol);
  assert.ok(JSON.stringify(long).length > INLINE_BYTES_MAX);
  const messageList = await conversation(alice, bob, long);
  const merger = { messageList, title: 'Alice and Bob', abstractList: ['alice: 0'], compatibleText: 'too old' };
  const sent = await bob.send('createMergerMessage', carol, merger);
  for (const reader of [carol, second]) {
    const received = await reader.waitFor('onMessageReceived', (message) => message.ID === sent.ID);
    assert.equal(received.type, 'TIMRelayElem');
    assert.ok(received.payload.downloadKey, 'the list is not in the message');
    assert.deepEqual([received.payload.title, received.payload.abstractList], [merger.title, merger.abstractList]);
    const whole = await reader.call('downloadMergerMessage', received);
    assert.deepEqual(textsOf(whole.payload), long);
    assert.deepEqual(
      whole.payload.messageList.map((/** @type {any} */ item) => item.from),
      long.map((_, index) => (index % 2 ? bob.user : alice.user)),
    );
  }
  const [stored] = await (await world.login(carol)).history(bob);
  assert.ok(stored.payload.downloadKey, 'history has the key, too');
});

test('a large merged message that is forwarded is read by whoever gets it', async () => {
  const [alice, bob, carol, dave] = await world.people('alice', 'bob', 'carol', 'dave');
  const messageList = await conversation(alice, bob, long.slice(0, 10));
  await bob.send('createMergerMessage', carol, { messageList, title: 'to pass on', abstractList: [], compatibleText: 'x' });
  const received = await carol.waitFor('onMessageReceived');
  await carol.send('createForwardMessage', dave, received);
  const forwarded = await dave.waitFor('onMessageReceived');
  const whole = await dave.call('downloadMergerMessage', forwarded);
  assert.deepEqual(textsOf(whole.payload), long.slice(0, 10));
});

test('a small merged message needs no download', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const texts = ['one', 'two'];
  const messageList = await conversation(alice, bob, texts);
  await bob.send('createMergerMessage', carol, { messageList, title: 'small', abstractList: [], compatibleText: 'x' });
  const received = await carol.waitFor('onMessageReceived');
  assert.equal(received.payload.downloadKey, '');
  assert.deepEqual(textsOf(received.payload), texts);
});
