/** Logging out, and in again with the same SDK object. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const NOT_LOGGED_IN = 3005;

const world = await World.open();

test('after logging out nothing is sent and nothing arrives', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('logout');
  await alice.waitFor('sdkStateNotReady');
  await assert.rejects(alice.sendText(bob, 'still here?'), { code: NOT_LOGGED_IN });
  await bob.sendText(alice, 'meanwhile');
  await alice.login();
  await bob.sendText(alice, 'marker');
  await alice.waitForText('marker');
  assert.deepEqual(alice.textsReceived, ['marker']);
});

test('the next login of the same object shows what was missed', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('logout');
  await bob.sendText(alice, 'meanwhile');
  await alice.login();
  await alice.conversationWhere(bob, (one) => one?.unreadCount === 1);
  assert.deepEqual((await alice.history(bob)).map((message) => message.payload.text), ['meanwhile']);
  await alice.sendText(bob, 'back');
  await bob.waitForText('back');
});

test('another account can log in with the same object and sees only its own', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const [carol] = world.names('carol');
  await bob.sendText(alice, 'for alice');
  await alice.waitForText('for alice');
  await alice.call('logout');
  await alice.call('login', { userID: carol, userSig: world.app.sign(carol) });
  assert.equal(await alice.call('getLoginUser'), carol);
  await bob.sendText(carol, 'for carol');
  const received = await alice.waitForText('for carol');
  assert.equal(received.to, carol);
  await bob.sendText(alice.user, 'for alice again');
  await bob.sendText(carol, 'marker');
  await alice.waitForText('marker');
  assert.deepEqual(alice.textsReceived, ['for alice', 'for carol', 'marker']);
});

test('an SDK object that is destroyed logs out', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.call('subscribeUserStatus', { userIDList: [alice.user] });
  await alice.call('destroy');
  await bob.waitFor('onUserStatusUpdated', (one) => one.userID === alice.user && one.statusType !== 1);
});
