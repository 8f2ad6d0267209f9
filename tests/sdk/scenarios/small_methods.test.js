/** Methods of the SDK that ask little or nothing of a server. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const NOT_THERE = 60020;
const NO_TEXT_FROM_SPEECH = 2118;
const NOT_LOGGED_IN = 2024;

const world = await World.open();

test('an instance is ready between login and logout', async () => {
  const [name] = world.names('alice');
  const alice = await world.instance(name);
  assert.equal(await alice.call('isReady'), false);
  await assert.rejects(alice.call('getConversationList'), { code: NOT_LOGGED_IN });
  await alice.login();
  assert.equal(await alice.call('isReady'), true);
  assert.equal(await alice.call('getLoginUser'), name);
  await alice.call('logout');
  assert.equal(await alice.call('isReady'), false);
});

test('an instance that is destroyed says so', async () => {
  const [alice] = await world.people('alice');
  await alice.call('destroy');
  await alice.waitFor('sdkDestroy');
});

test('the time of the server is told at every instance alike', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const [one, other] = await Promise.all([alice.call('getServerTime'), bob.call('getServerTime')]);
  assert.ok(Math.abs(one - other) < 5000, `${one} and ${other}`);
  const { time } = await alice.sendText(bob, 'hello');
  assert.ok(Math.abs(one / 1000 - time) < 60, `${one} and ${time}`);
});

test('the settings of the server arrive at login', async () => {
  const [alice] = await world.people('alice');
  const { config } = await alice.waitFor('onServerConfigUpdated');
  assert.equal(typeof config, 'object');
});

test('a message is found by its id at both sides, and no other is', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'find me');
  await bob.waitForText('find me');
  for (const instance of [alice, bob]) {
    const found = await instance.call('findMessage', sent.ID);
    assert.deepEqual([found.ID, found.payload.text, found.from], [sent.ID, 'find me', alice.user]);
    assert.equal(await instance.call('findMessage', 'nothing'), null);
  }
});

test('a message in an old page is found once the page is read', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'older');
  for (let index = 0; index < 16; index++) await alice.sendText(bob, `later ${index}`);
  // What is unread comes with the login, so the sender looks.
  const reader = await world.login(alice);
  await reader.call('getMessageList', { conversationID: bob.conversation });
  assert.equal(await reader.call('findMessage', sent.ID), null);
  await reader.history(bob);
  assert.equal((await reader.call('findMessage', sent.ID)).payload.text, 'older');
});

test('who does not listen any more hears nothing, and has it all the same', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(bob);
  await alice.sendText(bob, 'heard');
  await bob.waitForText('heard');
  await bob.stopListening('onMessageReceived');
  await alice.sendText(bob, 'unheard');
  await bob.conversationWhere(alice, (one) => one?.lastMessage.messageForShow === 'unheard');
  assert.deepEqual(bob.textsReceived, ['heard']);
  await second.waitForText('unheard');
});

test('the total of unread messages is told whenever it changes', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const totals = () => bob.events.filter((event) => event.name === 'onTotalUnreadMessageCountUpdated').map((event) => event.data);
  await alice.sendText(bob, 'one');
  await bob.until('a total of 1', async () => totals(), (seen) => seen.at(-1) === 1);
  await bob.call('setMessageRead', { conversationID: alice.conversation });
  await bob.until('a total of 0', async () => totals(), (seen) => seen.at(-1) === 0);
});

test('the conversations are told whenever they change', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'one');
  const told = await bob.waitFor('onConversationListUpdated', (one) => one.conversationID === alice.conversation && one.unreadCount === 1);
  assert.equal(told.lastMessage.messageForShow, 'one');
  await alice.waitFor('onConversationListUpdated', (one) => one.conversationID === bob.conversation && one.unreadCount === 0);
});

test('receipts of messages are read from memory', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'read me', { message: { needReadReceipt: true } });
  const received = await bob.waitForText('read me');
  const before = await alice.call('getMessageReadReceiptList', [sent]);
  assert.equal(before.messageList[0].readReceiptInfo.isPeerRead ?? false, false);
  await bob.call('sendMessageReadReceipt', [received]);
  await alice.waitFor('onMessageReadReceiptReceived', (one) => one.messageID === sent.ID && one.isPeerRead);
  const after = await alice.call('getMessageReadReceiptList', [sent]);
  assert.equal(after.messageList[0].readReceiptInfo.isPeerRead, true);
});

test('translation is refused, because there is none', async () => {
  const [alice] = await world.people('alice');
  const what = { sourceTextList: ['good morning'], sourceLanguage: 'en', targetLanguage: 'de' };
  await assert.rejects(alice.call('translateText', what), { code: NOT_THERE });
});

test('speech stays speech, because there is nobody who writes it down', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('openim/sendmsg', {
    From_Account: alice.user,
    To_Account: bob.user,
    MsgRandom: randomNumber(),
    MsgBody: [{
      MsgType: 'TIMSoundElem',
      MsgContent: { Url: 'https://files.example.com/voice.m4a', UUID: 'voice', Size: 1000, Second: 2, Download_Flag: 2 },
    }],
  });
  const message = await bob.waitFor('onMessageReceived', (one) => one.type === 'TIMSoundElem');
  await assert.rejects(bob.call('convertVoiceToText', { message }), { code: NO_TEXT_FROM_SPEECH });
});

test('what was refused for want of a service disturbs nothing else', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const what = { sourceTextList: ['x'], sourceLanguage: 'en', targetLanguage: 'de' };
  await assert.rejects(alice.call('translateText', what), { code: NOT_THERE });
  await alice.sendText(bob, 'in my own words');
  await bob.waitForText('in my own words');
});
