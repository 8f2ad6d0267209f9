/** Following somebody: who hears of it, the lists, the numbers. */

import assert from 'node:assert/strict';
import { codeFromModule } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

/** @typedef {import('../harness/client.js').Client} Client */

const FOLLOWERS = 'onMyFollowersListUpdated';
const FOLLOWING = 'onMyFollowingListUpdated';
const MUTUAL = 'onMutualFollowersListUpdated';
const NOT_AT_ALL = 0;
const FOLLOWS_ME = 1;
const I_FOLLOW = 2;
const EACH_OTHER = 3;
const SWITCHED_OFF = 30005;

const world = await World.open();

/**
 * Resolves when an instance was told that somebody joined one of its lists.
 * @param {Client} client @param {string} event @param {Client} other @param {number} [since]
 */
async function added(client, event, other, since = 0) {
  const fits = (/** @type {any} */ data) => data.isAdd && data.userInfoList.some((/** @type {any} */ one) => one.userID === other.user);
  const data = await client.waitFor(event, fits, { since });
  return data.userInfoList.find((/** @type {any} */ one) => one.userID === other.user);
}

/**
 * Resolves when an instance was told that somebody left one of its lists.
 * @param {Client} client @param {string} event @param {Client} other @param {number} [since]
 */
function removed(client, event, other, since = 0) {
  return client.waitFor(event, (data) => !data.isAdd && data.userInfoList.includes(other.user), { since });
}

/** @param {Client} client @param {string} method @returns {Promise<string[]>} */
async function listed(client, method) {
  const { resultList, nextCursor } = await client.call(method);
  assert.equal(nextCursor, '');
  return resultList.map((/** @type {any} */ one) => one.userID);
}

/** @param {Client} client @param {...Client} others */
async function follow(client, ...others) {
  const results = await client.call('followUser', others.map((other) => other.user));
  assert.deepEqual(results.map((/** @type {any} */ one) => one.resultCode), others.map(() => 0));
}

test('every instance of both sides hears who follows and who no longer does', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const [second, other] = await Promise.all([world.login(alice), world.login(bob)]);
  await alice.call('updateMyProfile', { nick: 'Alice L.' });
  await follow(alice, bob);
  for (const instance of [alice, second]) await added(instance, FOLLOWING, bob);
  for (const instance of [bob, other]) {
    assert.equal((await added(instance, FOLLOWERS, alice)).nick, 'Alice L.');
    assert.equal(instance.seen(MUTUAL).length, 0);
  }
  const results = await alice.call('unfollowUser', [bob.user]);
  assert.deepEqual(results.map((/** @type {any} */ one) => one.resultCode), [0]);
  for (const instance of [alice, second]) await removed(instance, FOLLOWING, bob);
  for (const instance of [bob, other]) await removed(instance, FOLLOWERS, alice);
});

test('who follows back becomes a mutual follower, until one of the two ends it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await follow(alice, bob);
  await follow(bob, alice);
  await added(bob, FOLLOWING, alice);
  await added(bob, MUTUAL, alice);
  for (const instance of [alice, second]) {
    await added(instance, FOLLOWERS, bob);
    await added(instance, MUTUAL, bob);
  }
  await second.call('unfollowUser', [bob.user]);
  for (const instance of [alice, second]) {
    await removed(instance, FOLLOWING, bob);
    await removed(instance, MUTUAL, bob);
  }
  await removed(bob, FOLLOWERS, alice);
  await removed(bob, MUTUAL, alice);
  assert.deepEqual(await listed(alice, 'getMyFollowersList'), [bob.user]);
});

test('lists, numbers and types are what was done, also at the next login', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await bob.call('updateMyProfile', { nick: 'Bob', selfSignature: 'hello' });
  await follow(alice, bob, carol);
  await follow(bob, alice);
  for (const reader of [alice, await world.login(alice)]) {
    assert.deepEqual((await listed(reader, 'getMyFollowingList')).sort(), [bob.user, carol.user].sort());
    assert.deepEqual(await listed(reader, 'getMyFollowersList'), [bob.user]);
    const { resultList } = await reader.call('getMutualFollowersList');
    assert.equal(resultList.length, 1);
    assert.equal(resultList[0].userID, bob.user);
    assert.deepEqual([resultList[0].nick, resultList[0].selfSignature], ['Bob', 'hello']);
    assert.ok(resultList[0].followTime > 1_700_000_000);
    const own = { followersCount: 1, followingCount: 2, mutualFollowersCount: 1 };
    assert.deepEqual(await reader.call('getUserFollowInfo'), [own]);
    const ofCarol = { followersCount: 1, followingCount: 0, mutualFollowersCount: 0 };
    assert.deepEqual(await reader.call('getUserFollowInfo', [carol.user, alice.user]), [ofCarol, own]);
    assert.deepEqual(await reader.call('checkFollowType', [bob.user, carol.user, alice.user]), [
      { userID: bob.user, followType: EACH_OTHER },
      { userID: carol.user, followType: I_FOLLOW },
      { userID: alice.user, followType: NOT_AT_ALL },
    ]);
  }
  assert.deepEqual(await carol.call('checkFollowType', [alice.user]), [{ userID: alice.user, followType: FOLLOWS_ME }]);
});

test('nobody follows himself or who does not exist', async () => {
  const [alice] = await world.people('alice');
  const results = await alice.call('followUser', [alice.user, 'nobody-at-all']);
  assert.deepEqual(results.map((/** @type {any} */ one) => [one.userID, one.resultCode]), [[alice.user, 30001], ['nobody-at-all', 30003]]);
  await assert.rejects(alice.call('followUser', Array(21).fill('bob')), { code: codeFromModule(30001) });
});

test('the back end lets somebody follow and both SDKs hear of it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.rest('follow/follow_add', { From_Account: alice.user, FollowItem: [{ To_Account: bob.user }] });
  await added(alice, FOLLOWING, bob);
  await added(bob, FOLLOWERS, alice);
  await world.rest('follow/follow_delete', { From_Account: alice.user, To_Account: [bob.user] });
  await removed(alice, FOLLOWING, bob);
  await removed(bob, FOLLOWERS, alice);
});

test('an app may switch it off', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await world.app.set({ follow: false });
  try {
    await assert.rejects(alice.call('followUser', [bob.user]), { code: codeFromModule(SWITCHED_OFF) });
    await assert.rejects(alice.call('getMyFollowersList'), { code: codeFromModule(SWITCHED_OFF) });
  } finally {
    await world.app.set({ follow: true });
  }
});
