/** Every kind of message that needs no upload, sent by one SDK and read by the other. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** @type {[string, string, string, Record<string, any>][]} */
const kinds = [
  ['a text with mentions', 'createTextAtMessage', 'TIMTextElem', { text: '@bob look', atUserList: ['bob'] }],
  ['a custom message', 'createCustomMessage', 'TIMCustomElem', { data: '{"kind":"order"}', description: 'an order', extension: 'ext' }],
  ['a custom message with empty fields', 'createCustomMessage', 'TIMCustomElem', { data: 'x', description: '', extension: '' }],
  ['a face', 'createFaceMessage', 'TIMFaceElem', { index: 7, data: 'smile' }],
  ['a location', 'createLocationMessage', 'TIMLocationElem', { description: 'Wadden Sea', longitude: 8.25, latitude: -53.4375 }],
];

for (const [title, method, type, payload] of kinds) {
  test(`${title} arrives as it was sent and stays so in history`, async () => {
    const [alice, bob] = await world.people('alice', 'bob');
    const sent = await alice.send(method, bob, payload);
    const received = await bob.waitFor('onMessageReceived', (message) => message.ID === sent.ID);
    const [stored] = await (await world.login(bob)).history(alice);
    for (const message of [received, stored]) {
      assert.equal(message.type, type);
      for (const [key, value] of Object.entries(payload)) {
        if (key !== 'atUserList') assert.deepEqual(message.payload[key], value, key);
      }
    }
  });
}

test('a forwarded message carries the original payload under a new identity', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.send('createCustomMessage', bob, { data: 'pass it on', description: 'd', extension: 'e' });
  const received = await bob.waitFor('onMessageReceived');
  const forwarded = await bob.send('createForwardMessage', carol, received);
  assert.notEqual(forwarded.ID, received.ID);
  const last = await carol.waitFor('onMessageReceived');
  assert.equal(last.from, bob.user);
  assert.deepEqual(last.payload, received.payload);
});

test('a small merged message brings its list along', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const messageList = [];
  for (const text of ['one', 'two', 'three']) {
    await alice.sendText(bob, text);
    messageList.push(await bob.waitForText(text));
  }
  const merger = { messageList, title: 'Alice and Bob', abstractList: ['alice: one', 'alice: two'], compatibleText: 'too old' };
  await bob.send('createMergerMessage', carol, merger);
  const received = await carol.waitFor('onMessageReceived');
  assert.equal(received.type, 'TIMRelayElem');
  for (const { payload } of [received, (await (await world.login(carol)).history(bob))[0]]) {
    assert.equal(payload.title, merger.title);
    assert.deepEqual(payload.abstractList, merger.abstractList);
    assert.equal(payload.compatibleText, merger.compatibleText);
    assert.deepEqual(payload.messageList.map((/** @type {any} */ item) => item.messageBody?.[0]?.payload?.text ?? item.payload?.text), ['one', 'two', 'three']);
  }
});
