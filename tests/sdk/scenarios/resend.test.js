/** An answer that is lost: the message is sent again and exists once. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

/** @typedef {import('../harness/proxy.js').Frame} Frame */

const world = await World.open();

/** @param {Frame} frame */
const answersSend = ({ from, head }) => from === 'server' && head.servcmd === 'openim.sendmsg';

/** Alice behind a proxy that loses the answers to what she sends, and bob. */
async function aliceUnanswered() {
  const [bob] = await world.people('bob');
  const alice = await world.login(world.names('alice')[0], { tapped: true });
  const answerAgain = alice.proxy.lose(answersSend);
  return { alice, bob, answerAgain };
}

test('a message whose answer was lost exists once after the reconnect', async () => {
  const { alice, bob, answerAgain } = await aliceUnanswered();
  const sending = alice.sendText(bob, 'once');
  await alice.proxy.waitFor('the lost answer', answersSend);
  answerAgain();
  alice.proxy.cut();
  const sent = await sending;
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['once', 'marker']);
  assert.equal((await bob.waitForText('once')).ID, sent.ID);
  for (const [reader, peer] of [[await world.login(bob), alice], [await world.login(alice), bob]]) {
    assert.deepEqual((await reader.history(peer)).map((message) => message.payload.text), ['once', 'marker']);
  }
  await (await world.login(bob)).conversationWhere(alice, (one) => one?.unreadCount === 2);
});

test('the repeated request is answered as the first one was', async () => {
  const { alice, bob, answerAgain } = await aliceUnanswered();
  const sending = alice.sendText(bob, 'once');
  const lost = await alice.proxy.waitFor('the lost answer', answersSend);
  answerAgain();
  alice.proxy.cut();
  await sending;
  const requests = alice.proxy.requests('openim.sendmsg');
  assert.equal(requests.length, 2);
  assert.equal(requests[1].head.seq, requests[0].head.seq);
  assert.deepEqual(requests[1].body, requests[0].body);
  const [first, second] = alice.proxy.frames.filter(answersSend);
  assert.equal(first, lost);
  assert.equal(second.body.MsgTime, first.body.MsgTime);
  assert.equal(second.body.MsgKey, first.body.MsgKey);
});

test('a message that failed and is sent again by the application exists once', async () => {
  const { alice, bob, answerAgain } = await aliceUnanswered();
  const created = await alice.call('createTextMessage', { to: bob.user, conversationType: 'C2C', payload: { text: 'once' } });
  // The SDK gives up after 15 s without an answer.
  await assert.rejects(alice.call('sendMessage', created), { code: 2801 });
  answerAgain();
  const { message } = await alice.call('resendMessage', created);
  assert.equal(message.status, 'success');
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['once', 'marker']);
  assert.equal((await (await world.login(bob)).history(alice)).length, 2);
});

test('the same text sent twice on purpose exists twice', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'again');
  await alice.sendText(bob, 'again');
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['again', 'again', 'marker']);
});

test('a push that was lost is caught up with after the reconnect', async () => {
  const [alice] = await world.people('alice');
  const bob = await world.login(world.names('bob')[0], { tapped: true });
  const isPush = (/** @type {Frame} */ { from, head }) => from === 'server' && head.servcmd === 'im_open_push.msg_push';
  const pushAgain = bob.proxy.lose(isPush);
  await alice.sendText(bob, 'lost on the way');
  await bob.proxy.waitFor('the lost push', isPush);
  pushAgain();
  bob.proxy.cut();
  await bob.waitForText('lost on the way');
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['lost on the way', 'marker']);
});
