/** Taking a message back, in time and too late. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const TOO_LATE = 20016;
const HOUR_SECONDS = 3600;

const world = await World.open();

test('the peer is told who recalled which message', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'rash');
  await bob.waitForText('rash');
  const recalled = await alice.call('revokeMessage', sent);
  assert.equal(recalled.message.isRevoked, true);
  const notice = await bob.waitFor('onMessageRevoked', (message) => message.ID === sent.ID);
  assert.equal(notice.isRevoked, true);
  assert.equal(notice.revoker, alice.user);
  assert.equal(notice.revokerInfo.userID, alice.user);
  assert.equal(notice.revokeReason, '');
});

test('history shows on both sides that a message was recalled, in its place', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'before');
  const sent = await alice.sendText(bob, 'rash');
  await alice.sendText(bob, 'after');
  await alice.call('revokeMessage', sent);
  for (const [reader, peer] of [[await world.login(bob), alice], [await world.login(alice), bob]]) {
    const history = await reader.history(peer);
    assert.deepEqual(history.map((message) => message.isRevoked), [false, true, false]);
    assert.equal(history[1].ID, sent.ID);
    assert.equal(history[1].revoker, alice.user);
  }
});

test('the conversation list shows that the last message was recalled', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('revokeMessage', await alice.sendText(bob, 'rash'));
  const reader = await world.login(bob);
  await reader.conversationWhere(alice, (one) => one?.lastMessage.isRevoked === true && one.lastMessage.revoker === alice.user);
});

test('after a recall the content is in no answer any more', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const sent = await alice.sendText(bob, 'canary-7f3a', { message: { cloudCustomData: 'canary-7f3a' } });
  await bob.waitForText('canary-7f3a');
  await alice.call('revokeMessage', sent);
  const reader = await world.login(bob, { tapped: true });
  await reader.history(alice);
  const frames = reader.proxy.frames.filter(({ from }) => from === 'server');
  assert.ok(!JSON.stringify(frames).includes('canary-7f3a'));
});

test('a message older than the window cannot be recalled', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('openim/importmsg', {
    SyncFromOldSystem: 2,
    From_Account: alice.user,
    To_Account: bob.user,
    MsgRandom: randomNumber(),
    MsgTimeStamp: Math.floor(Date.now() / 1000) - HOUR_SECONDS,
    MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'an hour ago' } }],
  });
  const reader = await world.login(alice);
  const [old] = await reader.history(bob);
  await assert.rejects(reader.call('revokeMessage', old), { code: TOO_LATE });
  assert.equal((await (await world.login(bob)).history(alice))[0].isRevoked, false);
});

test('the window is the one that the app has set', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const start = Math.floor(Date.now() / 1000) - HOUR_SECONDS;
  await world.rest('openim/importmsg', {
    SyncFromOldSystem: 2,
    From_Account: alice.user,
    To_Account: bob.user,
    MsgRandom: randomNumber(),
    MsgTimeStamp: start,
    MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'an hour ago' } }],
  });
  await world.app.set({ recall_seconds: 2 * HOUR_SECONDS });
  try {
    const reader = await world.login(alice);
    const [old] = await reader.history(bob);
    await reader.call('revokeMessage', old);
    assert.equal((await (await world.login(bob)).history(alice))[0].isRevoked, true);
  } finally {
    await world.app.set({ recall_seconds: 120 });
  }
});

test('a message of the other side cannot be recalled', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'mine');
  const received = await bob.waitForText('mine');
  await assert.rejects(bob.call('revokeMessage', received));
  assert.equal((await (await world.login(bob)).history(alice))[0].isRevoked, false);
});
