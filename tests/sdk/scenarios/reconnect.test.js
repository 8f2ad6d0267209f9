/** A connection is lost and comes back: what was missed arrives, each once. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** Bob behind a proxy, who has received one message from alice. */
async function bobBehindProxy() {
  const [alice] = await world.people('alice');
  const bob = await world.login(world.names('bob')[0], { tapped: true });
  const earlier = await alice.sendText(bob, 'earlier');
  await bob.waitForText('earlier');
  return { alice, bob, earlier };
}

test('messages sent meanwhile arrive exactly once and in order', async () => {
  const { alice, bob } = await bobBehindProxy();
  bob.proxy.pause();
  const missed = Array.from({ length: 30 }, (_, index) => `missed ${index}`);
  for (const text of missed) await alice.sendText(bob, text);
  bob.proxy.resume();
  await bob.waitForText('missed 29');
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived.toSorted(), ['earlier', ...missed, 'marker'].toSorted());
  const reader = await world.login(bob);
  assert.deepEqual((await reader.history(alice)).map((message) => message.payload.text), ['earlier', ...missed, 'marker']);
  await bob.conversationWhere(alice, (one) => one?.unreadCount === missed.length + 2);
});

test('messages of somebody new arrive as well', async () => {
  const { alice, bob } = await bobBehindProxy();
  const [carol] = await world.people('carol');
  bob.proxy.pause();
  await carol.sendText(bob, 'from carol');
  await alice.sendText(bob, 'from alice');
  bob.proxy.resume();
  await Promise.all([bob.waitForText('from carol'), bob.waitForText('from alice')]);
  await bob.conversationWhere(carol, (one) => one?.unreadCount === 1);
});

test('a recall that was missed is told after the reconnect', async () => {
  const { alice, bob, earlier } = await bobBehindProxy();
  bob.proxy.pause();
  await alice.call('revokeMessage', earlier);
  await alice.sendText(bob, 'later');
  bob.proxy.resume();
  const notice = await bob.waitFor('onMessageRevoked', (message) => message.ID === earlier.ID);
  assert.equal(notice.revoker, alice.user);
  await bob.waitForText('later');
  assert.equal(bob.seen('onMessageRevoked').length, 1);
});

test('a message that was sent and recalled meanwhile is never seen', async () => {
  const { alice, bob } = await bobBehindProxy();
  bob.proxy.pause();
  await alice.call('revokeMessage', await alice.sendText(bob, 'canary-51c0'));
  bob.proxy.resume();
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  await bob.call('getMessageList', { conversationID: alice.conversation });
  assert.ok(!JSON.stringify(bob.proxy.frames).includes('canary-51c0'));
});

test('copies of what another instance sent meanwhile arrive as sent', async () => {
  const { alice, bob } = await bobBehindProxy();
  const second = await world.login(bob);
  bob.proxy.pause();
  await second.sendText(alice, 'from my other screen');
  bob.proxy.resume();
  const copy = await bob.waitForText('from my other screen');
  assert.equal(copy.flow, 'out');
});

test('the session goes on: same instance, no signature, no new login by the application', async () => {
  const { alice, bob } = await bobBehindProxy();
  const [first] = bob.proxy.requests('im_open_status.wslogin');
  const session = bob.proxy.answerTo(first)?.body;
  const since = bob.proxy.frames.length;
  bob.proxy.cut();
  const again = await bob.proxy.waitFor('the second login', ({ from, head }) => from === 'client' && head.servcmd === 'im_open_status.wslogin', { since });
  assert.equal(again.head.a2, session.A2Key);
  assert.equal(again.head.status_instid, session.InstId);
  assert.equal(again.head.usersig, undefined);
  const answer = await bob.proxy.waitFor('its answer', (frame) => frame === bob.proxy.answerTo(again), { since });
  assert.equal(answer.body.ErrorCode ?? 0, 0);
  assert.equal(answer.body.TinyId, session.TinyId);
  await bob.sendText(alice, 'I am back');
  await alice.waitForText('I am back');
  assert.equal(bob.seen('sdkStateReady').length, 1);
  assert.deepEqual(bob.seen('kickedOut'), []);
});

test('no cut in a running conversation loses or doubles a message', async () => {
  const { alice, bob } = await bobBehindProxy();
  const texts = Array.from({ length: 60 }, (_, index) => `number ${index}`);
  for (const [index, text] of texts.entries()) {
    if (index % 20 === 10) bob.proxy.cut();
    await alice.sendText(bob, text);
    if (index % 20 !== 19) continue;
    // The SDK takes a young connection that is cut for a refusal, and then waits for something to send.
    await bob.sendText(alice, `seen up to ${index}`);
    await bob.waitForText(text);
  }
  await Promise.all(texts.map((text) => bob.waitForText(text)));
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived.toSorted(), ['earlier', ...texts, 'marker'].toSorted());
});
