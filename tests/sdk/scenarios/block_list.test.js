/** Blocking somebody, and what becomes of what they write. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const IN_BLOCK_LIST = 20007;

const world = await World.open();

/** Bob has blocked alice; carol can reach him. */
async function aliceBlocked() {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const blocked = await bob.call('addToBlacklist', { userIDList: [alice.user] });
  assert.deepEqual(blocked, [alice.user]);
  return { alice, bob, carol };
}

test('who is blocked is listed, also at the next login', async () => {
  const { alice, bob } = await aliceBlocked();
  await bob.waitFor('blacklistUpdated', (user) => user === alice.user);
  for (const reader of [bob, await world.login(bob)]) {
    await reader.until('the block list', () => reader.call('getBlacklist'), (list) => list.length === 1 && list[0] === alice.user);
  }
});

test('a blocked sender is refused and the message goes nowhere', async () => {
  const { alice, bob, carol } = await aliceBlocked();
  await assert.rejects(alice.sendText(bob, 'let me in'), { code: IN_BLOCK_LIST });
  await carol.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.textsReceived, ['marker']);
  assert.deepEqual(await (await world.login(bob)).history(alice), []);
});

test('blocking has one direction', async () => {
  const { alice, bob } = await aliceBlocked();
  await bob.sendText(alice, 'I can still write');
  await alice.waitForText('I can still write');
});

test('who is removed from the list can write again', async () => {
  const { alice, bob } = await aliceBlocked();
  const remaining = await bob.call('removeFromBlacklist', { userIDList: [alice.user] });
  assert.deepEqual(remaining, []);
  await alice.sendText(bob, 'thank you');
  await bob.waitForText('thank you');
  assert.deepEqual(await bob.call('getBlacklist'), []);
});

test('an administrator reaches who has blocked the sender', async () => {
  const { alice, bob } = await aliceBlocked();
  await world.rest('openim/sendmsg', {
    From_Account: alice.user,
    To_Account: bob.user,
    MsgRandom: randomNumber(),
    MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'by the back end' } }],
  });
  await bob.waitForText('by the back end');
});

test('the back end changes the list and the SDK follows', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('sns/black_list_add', { From_Account: bob.user, To_Account: [alice.user] });
  await bob.until('the new entry', () => bob.call('getBlacklist'), (list) => list.includes(alice.user));
  await assert.rejects(alice.sendText(bob, 'let me in'), { code: IN_BLOCK_LIST });
  await world.rest('sns/black_list_delete', { From_Account: bob.user, To_Account: [alice.user] });
  await bob.until('no entry', () => bob.call('getBlacklist'), (list) => list.length === 0);
});

test('an app may let a blocked sender believe that it was sent', async () => {
  await world.app.set({ blocklist_show_sent: true });
  try {
    const { alice, bob, carol } = await aliceBlocked();
    const sent = await alice.sendText(bob, 'into the void');
    assert.equal(sent.status, 'success');
    await carol.sendText(bob, 'marker');
    await bob.waitForText('marker');
    assert.deepEqual(bob.textsReceived, ['marker']);
    const reader = await world.login(bob);
    await reader.conversationWhere(carol, (one) => one?.unreadCount === 1);
    assert.equal(await reader.call('getTotalUnreadMessageCount'), 1);
    assert.deepEqual(await reader.history(alice), []);
    const own = await (await world.login(alice)).history(bob);
    assert.deepEqual(own.map((message) => message.payload.text), ['into the void']);
  } finally {
    await world.app.set({ blocklist_show_sent: false });
  }
});
