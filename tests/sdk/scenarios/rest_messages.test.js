/** What a back end does over REST, as clients see it. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { nowSeconds } from '../harness/clock.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** @param {string} text */
const body = (text) => ({ MsgRandom: randomNumber(), MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: text } }] });

/** What a new instance reads. @param {any} who @param {any} peer */
async function textsOf(who, peer) {
  return (await (await world.login(who)).history(peer)).map((message) => message.payload.text);
}

test('a message sent for somebody arrives, and comes to that person as sent', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('openim/sendmsg', { SyncOtherMachine: 1, From_Account: alice.user, To_Account: bob.user, CloudCustomData: 'data', ...body('hello') });
  const received = await bob.waitForText('hello');
  assert.equal(received.from, alice.user);
  assert.equal(received.cloudCustomData, 'data');
  const copy = await alice.waitForText('hello');
  assert.equal(copy.flow, 'out');
  assert.equal(copy.ID, received.ID);
  assert.deepEqual(await textsOf(alice, bob), ['hello']);
});

test('a message sent for somebody without a copy is only at the receiver', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('openim/sendmsg', { SyncOtherMachine: 2, From_Account: alice.user, To_Account: bob.user, ...body('hello') });
  await bob.waitForText('hello');
  await bob.sendText(alice, 'marker');
  await alice.waitForText('marker');
  assert.deepEqual(alice.textsReceived, ['marker']);
  assert.deepEqual(await textsOf(alice, bob), ['marker']);
  assert.deepEqual((await textsOf(bob, alice)).toSorted(), ['hello', 'marker']);
});

test('a message without a sender comes from the administrator', async () => {
  const [bob] = await world.people('bob');
  await world.rest('openim/sendmsg', { To_Account: bob.user, ...body('notice') });
  assert.equal((await bob.waitForText('notice')).from, 'administrator');
});

test('a repeated request sends nothing new', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const request = { MsgSeq: 7, From_Account: alice.user, To_Account: bob.user, ...body('once') };
  const first = await world.rest('openim/sendmsg', request);
  const second = await world.rest('openim/sendmsg', request);
  assert.equal(second.MsgKey, first.MsgKey);
  await world.rest('openim/sendmsg', { From_Account: alice.user, To_Account: bob.user, ...body('marker') });
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['once', 'marker']);
});

test('a batch reaches everybody who exists', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const reply = await world.rest('openim/batchsendmsg', {
    From_Account: alice.user,
    To_Account: [bob.user, carol.user, 'nobody-at-all'],
    ...body('to all'),
  });
  assert.deepEqual(reply.ErrorList.map((/** @type {any} */ one) => [one.To_Account, one.ErrorCode]), [['nobody-at-all', 70107]]);
  for (const receiver of [bob, carol]) {
    assert.equal((await receiver.waitForText('to all')).from, alice.user);
    assert.deepEqual(await textsOf(receiver, alice), ['to all']);
  }
});

test('a live import is told and counted, an import of history is neither', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const one = { From_Account: alice.user, To_Account: bob.user };
  await world.rest('openim/importmsg', { SyncFromOldSystem: 2, MsgTimeStamp: nowSeconds() - 600, ...one, ...body('history') });
  await world.rest('openim/importmsg', { SyncFromOldSystem: 5, MsgTimeStamp: nowSeconds(), ...one, ...body('live') });
  await bob.waitForText('live');
  assert.deepEqual(bob.textsReceived, ['live']);
  assert.deepEqual(await textsOf(bob, alice), ['history', 'live']);
  await (await world.login(bob)).conversationWhere(alice, (item) => item?.unreadCount === 1);
});

test('an import that is repeated exists once', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const request = { SyncFromOldSystem: 2, MsgSeq: 7, MsgTimeStamp: nowSeconds() - 600, From_Account: alice.user, To_Account: bob.user, ...body('history') };
  await world.rest('openim/importmsg', request);
  await world.rest('openim/importmsg', request);
  assert.deepEqual(await textsOf(bob, alice), ['history']);
});

test('a message recalled by the back end is recalled at both sides', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const { MsgKey } = await world.rest('openim/sendmsg', { From_Account: alice.user, To_Account: bob.user, ...body('rash') });
  const received = await bob.waitForText('rash');
  await alice.waitForText('rash');
  await world.rest('openim/admin_msgwithdraw', { From_Account: alice.user, To_Account: bob.user, MsgKey });
  for (const client of [alice, bob]) await client.waitFor('onMessageRevoked', (message) => message.ID === received.ID);
  assert.deepEqual((await (await world.login(bob)).history(alice)).map((message) => message.isRevoked), [true]);
});

test('the back end may recall what a client sent, and after any time', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'rash');
  await bob.waitForText('rash');
  const MsgKey = `${sent.sequence}_${sent.random}_${sent.time}`;
  await world.app.set({ recall_seconds: 1 });
  try {
    await world.rest('openim/admin_msgwithdraw', { From_Account: alice.user, To_Account: bob.user, MsgKey });
  } finally {
    await world.app.set({ recall_seconds: 120 });
  }
  for (const client of [alice, bob]) await client.waitFor('onMessageRevoked', (message) => message.ID === sent.ID);
});

test('what the back end marks as read is read, and the sender is told', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'read me');
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 1);
  await world.rest('openim/admin_set_msg_read', { Report_Account: bob.user, Peer_Account: alice.user });
  await bob.conversationWhere(alice, (one) => one?.unreadCount === 0);
  await alice.waitFor('onMessageReadByPeer', (message) => message.ID === sent.ID);
});

test('the back end counts and reads the same as clients do', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  for (const text of ['one', 'two']) await alice.sendText(bob, text);
  const counts = await world.rest('openim/get_c2c_unread_msg_num', { To_Account: bob.user, Peer_Account: [alice.user] });
  assert.equal(counts.C2CUnreadMsgNumList[0].C2CUnreadMsgNum, 2);
  const { MsgList, Complete } = await world.rest('openim/admin_getroammsg', {
    Operator_Account: bob.user,
    Peer_Account: alice.user,
    MaxCnt: 100,
    MinTime: 0,
    MaxTime: nowSeconds() + 60,
  });
  assert.equal(Complete, 1);
  assert.deepEqual(MsgList.map((/** @type {any} */ one) => one.MsgBody[0].MsgContent.Text), ['one', 'two']);
});

test('a conversation deleted by the back end goes at every instance', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'hello');
  await bob.conversationWhere(alice, (one) => one !== undefined);
  await world.rest('recentcontact/delete', { From_Account: bob.user, Type: 1, To_Account: alice.user, ClearRamble: 1 });
  await bob.until('no conversation', () => bob.conversations(), (list) => list.length === 0);
  assert.deepEqual(await textsOf(bob, alice), []);
  assert.deepEqual(await textsOf(alice, bob), ['hello']);
});
