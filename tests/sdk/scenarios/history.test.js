/** Reading back what was said, from the newest and from anywhere. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const MINUTE_SECONDS = 60;

const world = await World.open();

/** @param {any[]} messages */
const texts = (messages) => messages.map((message) => message.payload.text);

/** Imports messages of alice to bob, a minute apart. @param {string} alice @param {string} bob @param {number} count */
async function importMinutes(alice, bob, count) {
  const start = Math.floor(Date.now() / 1000) - (count + 10) * MINUTE_SECONDS;
  for (let index = 0; index < count; index++) {
    await world.rest('openim/importmsg', {
      SyncFromOldSystem: 2,
      From_Account: alice,
      To_Account: bob,
      MsgSeq: index + 1,
      MsgRandom: randomNumber(),
      MsgTimeStamp: start + index * MINUTE_SECONDS,
      MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: `minute ${index}` } }],
    });
  }
  return (/** @type {number} */ index) => start + index * MINUTE_SECONDS;
}

test('paging back over fifty messages finds each once, in order, also within one second', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = Array.from({ length: 55 }, (_, index) => `message ${index}`);
  for (const text of sent) await alice.sendText(bob, text);
  await bob.waitForText('message 54');
  const reader = await world.login(bob);
  const conversationID = alice.conversation;
  const found = [];
  const sizes = [];
  for (let nextReqMessageID = '', isCompleted = false; !isCompleted;) {
    const page = await reader.call('getMessageList', { conversationID, nextReqMessageID });
    found.unshift(...texts(page.messageList));
    sizes.push(page.messageList.length);
    ({ nextReqMessageID, isCompleted } = page);
  }
  assert.deepEqual(found, sent);
  assert.equal(sizes[0], 15);
  assert.deepEqual(texts(await (await world.login(alice)).history(bob)), sent, "the sender's view");
});

test('the history of people who never wrote is empty and complete', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const page = await alice.call('getMessageList', { conversationID: bob.conversation });
  assert.deepEqual(page.messageList, []);
  assert.equal(page.isCompleted, true);
});

test('hopping back from a time shows what came before it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const at = await importMinutes(alice.user, bob.user, 40);
  const reader = await world.login(bob);
  const conversationID = alice.conversation;
  const page = await reader.call('getMessageListHopping', { conversationID, time: at(30), direction: 0 });
  assert.deepEqual(texts(page.messageList), Array.from({ length: 15 }, (_, index) => `minute ${index + 16}`));
  assert.equal(page.isCompleted, false);
  const rest = [];
  for (let last = page; !last.isCompleted;) {
    last = await reader.call('getMessageListHopping', { conversationID, time: last.nextMessageTime, direction: 0 });
    rest.unshift(...texts(last.messageList));
  }
  assert.deepEqual([...new Set(rest)].slice(0, 16), Array.from({ length: 16 }, (_, index) => `minute ${index}`));
});

test('hopping forward from a time shows what came after it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const at = await importMinutes(alice.user, bob.user, 40);
  const reader = await world.login(bob);
  const conversationID = alice.conversation;
  const page = await reader.call('getMessageListHopping', { conversationID, time: at(10), direction: 1 });
  assert.deepEqual(texts(page.messageList), Array.from({ length: 15 }, (_, index) => `minute ${index + 10}`));
  assert.equal(page.isCompleted, false);
  const rest = texts(page.messageList);
  for (let last = page; !last.isCompleted;) {
    last = await reader.call('getMessageListHopping', { conversationID, time: last.nextMessageTime, direction: 1 });
    rest.push(...texts(last.messageList));
  }
  assert.deepEqual([...new Set(rest)], Array.from({ length: 30 }, (_, index) => `minute ${index + 10}`));
});

test('imported history comes before live messages, and is in both views', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'live');
  await importMinutes(alice.user, bob.user, 3);
  for (const [reader, peer] of [[await world.login(bob), alice], [await world.login(alice), bob]]) {
    assert.deepEqual(texts(await reader.history(peer)), ['minute 0', 'minute 1', 'minute 2', 'live']);
  }
});

test('a conversation of two shows who said what', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'question');
  await bob.waitForText('question');
  await bob.sendText(alice, 'answer');
  const flows = async (/** @type {typeof alice} */ reader, /** @type {typeof alice} */ peer) => Object.fromEntries(
    (await reader.history(peer)).map((message) => [message.payload.text, message.flow]),
  );
  assert.deepEqual(await flows(await world.login(alice), bob), { question: 'out', answer: 'in' });
  assert.deepEqual(await flows(await world.login(bob), alice), { question: 'in', answer: 'out' });
});
