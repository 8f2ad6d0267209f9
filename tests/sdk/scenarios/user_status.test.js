/** Who is there, and what they say about themselves. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const ONLINE = 1;
const OFFLINE = 2;
const NOT_LOGGED_IN = 3;

const world = await World.open({ user_status: true });

test('a custom status is seen by others, in any script', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const own = await alice.call('setSelfStatus', { customStatus: 'auf See 🌊' });
  assert.equal(own.customStatus, 'auf See 🌊');
  const { successUserList } = await bob.call('getUserStatus', { userIDList: [alice.user] });
  assert.deepEqual(successUserList, [{ userID: alice.user, statusType: ONLINE, customStatus: 'auf See 🌊' }]);
});

test('the own custom status is told to every instance', async () => {
  const [alice] = await world.people('alice');
  const second = await world.login(alice);
  await alice.call('setSelfStatus', { customStatus: 'busy' });
  for (const instance of [alice, second]) {
    await instance.waitFor('onUserStatusUpdated', (one) => one.userID === alice.user && one.customStatus === 'busy');
  }
});

test('who exists and never logged in is told from who does not exist', async () => {
  const [alice] = await world.people('alice');
  const [imported] = world.names('imported');
  await world.rest('im_open_login_svc/account_import', { UserID: imported });
  const { successUserList, failureUserList } = await alice.call('getUserStatus', { userIDList: [imported, 'nobody-at-all'] });
  assert.deepEqual(successUserList.map((/** @type {any} */ one) => one.userID), [imported]);
  assert.notEqual(successUserList[0].statusType, ONLINE);
  assert.deepEqual(failureUserList.map((/** @type {any} */ one) => one.userID), ['nobody-at-all']);
});

test('a subscriber sees somebody come, change and go', async () => {
  const [alice] = await world.people('alice');
  const [name] = world.names('bob');
  await world.rest('im_open_login_svc/account_import', { UserID: name });
  await alice.call('subscribeUserStatus', { userIDList: [name] });
  const bob = await world.login(name);
  await alice.waitFor('onUserStatusUpdated', (one) => one.userID === name && one.statusType === ONLINE);
  await bob.call('setSelfStatus', { customStatus: 'here' });
  await alice.waitFor('onUserStatusUpdated', (one) => one.userID === name && one.customStatus === 'here');
  await bob.call('logout');
  await alice.waitFor('onUserStatusUpdated', (one) => one.userID === name && [OFFLINE, NOT_LOGGED_IN].includes(one.statusType));
});

test('somebody whose connection is lost is seen to go', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('subscribeUserStatus', { userIDList: [bob.user] });
  const since = alice.events.length;
  await bob.close();
  await alice.waitFor('onUserStatusUpdated', (one) => one.userID === bob.user && one.statusType !== ONLINE, { since });
});

test('somebody with two instances goes when the second one goes', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(bob);
  await alice.call('subscribeUserStatus', { userIDList: [bob.user] });
  const since = alice.events.length;
  await second.close();
  await bob.sendText(alice, 'marker');
  await alice.waitForText('marker');
  const { successUserList } = await alice.call('getUserStatus', { userIDList: [bob.user] });
  assert.equal(successUserList[0].statusType, ONLINE);
  await bob.close();
  await alice.waitFor('onUserStatusUpdated', (one) => one.userID === bob.user && one.statusType !== ONLINE, { since });
});

test('who no longer subscribes is told nothing more', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.call('subscribeUserStatus', { userIDList: [bob.user, carol.user] });
  await alice.call('unsubscribeUserStatus', { userIDList: [bob.user] });
  const since = alice.events.length;
  await bob.call('setSelfStatus', { customStatus: 'unheard' });
  await carol.call('setSelfStatus', { customStatus: 'marker' });
  await alice.waitFor('onUserStatusUpdated', (one) => one.customStatus === 'marker');
  assert.ok(alice.seen('onUserStatusUpdated', since).every((one) => one.userID !== bob.user));
});

test('the back end sees who is online', async () => {
  const [alice] = await world.people('alice');
  const [absent] = world.names('absent');
  await world.rest('im_open_login_svc/account_import', { UserID: absent });
  const { QueryResult } = await world.rest('openim/query_online_status', { To_Account: [alice.user, absent] });
  assert.deepEqual(QueryResult.map((/** @type {any} */ one) => [one.To_Account, one.Status]), [[alice.user, 'Online'], [absent, 'Offline']]);
});
