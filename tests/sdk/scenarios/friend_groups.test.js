/** Lists in which an account sorts its friends. */

import assert from 'node:assert/strict';
import { codeFromModule } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const LISTS_FULL = 30011;
const NO_FRIEND = 32216;
const EXISTS_LOCALLY = 2710;

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** One more instance of somebody, which has asked for everything that it is to know. @param {Client} person */
async function back(person) {
  const instance = await world.login(person);
  await instance.until(
    'friends and requests',
    async () => instance.events.map((event) => event.name),
    (names) => ['onFriendListUpdated', 'onFriendApplicationListUpdated'].every((name) => names.includes(name)),
  );
  return instance;
}

/**
 * Resolves when the lists are these, each with its friends.
 * @param {Client} client
 * @param {Record<string, Client[]>} expected
 */
function groupsAre(client, expected) {
  const sorted = (/** @type {[string, string[]][]} */ entries) => JSON.stringify(entries.map(([name, users]) => [name, [...users].sort()]).sort());
  const wanted = sorted(Object.entries(expected).map(([name, friends]) => [name, friends.map((one) => one.user)]));
  return client.until(
    `the lists ${wanted}`,
    () => client.call('getFriendGroupList'),
    (list) => sorted(list.map((/** @type {any} */ one) => [one.name, one.userIDList])) === wanted,
  );
}

/** Resolves when a friend is in these lists. @param {Client} client @param {Client} friend @param {...string} names */
const isIn = (client, friend, ...names) => client.until(
  `${friend.user} in ${names}`,
  () => client.call('getFriendList'),
  (list) => String(list.find((/** @type {any} */ one) => one.userID === friend.user)?.groupList.sort()) === String(names.sort()),
);

/** @param {Client} from @param {Client} to @param {object} [more] */
async function befriend(from, to, more) {
  await from.call('addFriend', { to: to.user, source: 'AddSource_Type_Web', type: 'Add_Type_Both', ...more });
  await from.until(`${to.user} as a friend`, () => from.call('getFriendList'), (list) => list.some((/** @type {any} */ one) => one.userID === to.user));
}

/** Alice with bob and carol as friends, and a second instance of her. */
async function circle() {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  for (const friend of [bob, carol]) await befriend(alice, friend);
  return { alice, second: await back(alice), bob, carol };
}

test('a list is made with friends, shows at the other instance and at the next login', async () => {
  const { alice, second, bob, carol } = await circle();
  const created = await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [bob.user, 'stranger'] });
  assert.equal(created.friendGroup.name, 'Sailors');
  assert.deepEqual(created.friendGroup.userIDList, [bob.user]);
  assert.deepEqual(created.failureUserIDList.map((/** @type {any} */ one) => [one.userID, one.code]), [['stranger', NO_FRIEND]]);
  await alice.waitFor('onFriendGroupListUpdated', (one) => one.name === 'Sailors' && one.count === 1);
  await alice.call('createFriendGroup', { name: 'Nobody yet', userIDList: [] });
  await groupsAre(alice, { Sailors: [bob], 'Nobody yet': [] });
  await second.waitFor('onFriendListUpdated', (one) => one.userID === bob.user && String(one.groupList) === 'Sailors');
  const reader = await back(alice);
  await reader.waitFor('onFriendGroupListUpdated', (one) => one.name === 'Sailors');
  await groupsAre(reader, { Sailors: [bob], 'Nobody yet': [] });
  await isIn(reader, bob, 'Sailors');
  await isIn(reader, carol);
  assert.deepEqual(await bob.call('getFriendGroupList'), []);
});

test('friends are put into a list and taken out', async () => {
  const { alice, second, bob, carol } = await circle();
  await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [bob.user] });
  const added = await alice.call('addToFriendGroup', { name: 'Sailors', userIDList: [carol.user] });
  assert.deepEqual(added.failureUserIDList, []);
  assert.deepEqual(added.friendGroup.userIDList.sort(), [bob.user, carol.user].sort());
  for (const friend of [bob, carol]) await isIn(second, friend, 'Sailors');
  const removed = await alice.call('removeFromFriendGroup', { name: 'Sailors', userIDList: [bob.user] });
  assert.deepEqual(removed.friendGroup.userIDList, [carol.user]);
  await isIn(second, bob);
  for (const instance of [alice, await back(alice)]) await groupsAre(instance, { Sailors: [carol] });
});

test('a friend may be in several lists', async () => {
  const { alice, second, bob } = await circle();
  await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [bob.user] });
  await alice.call('createFriendGroup', { name: 'Work', userIDList: [bob.user] });
  await isIn(second, bob, 'Sailors', 'Work');
  await alice.call('removeFromFriendGroup', { name: 'Sailors', userIDList: [bob.user] });
  await isIn(second, bob, 'Work');
  await groupsAre(await back(alice), { Sailors: [], Work: [bob] });
});

test('a list gets another name and keeps its friends', async () => {
  const { alice, second, bob } = await circle();
  await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [bob.user] });
  await isIn(second, bob, 'Sailors');
  const renamed = await alice.call('renameFriendGroup', { oldName: 'Sailors', newName: 'Crew' });
  assert.deepEqual([renamed.name, renamed.userIDList], ['Crew', [bob.user]]);
  await isIn(second, bob, 'Crew');
  for (const instance of [alice, await back(alice)]) await groupsAre(instance, { Crew: [bob] });
});

test('a deleted list is gone and its friends remain', async () => {
  const { alice, second, bob } = await circle();
  await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [bob.user] });
  await alice.call('createFriendGroup', { name: 'Work', userIDList: [] });
  await isIn(second, bob, 'Sailors');
  await alice.call('deleteFriendGroup', { name: 'Sailors' });
  await isIn(second, bob);
  for (const instance of [alice, await back(alice)]) await groupsAre(instance, { Work: [] });
  await isIn(await back(alice), bob);
});

test('a friend who is added into a list stands there at every instance', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [] });
  const second = await back(alice);
  await groupsAre(second, { Sailors: [] });
  await befriend(alice, bob, { groupName: 'Sailors' });
  for (const instance of [alice, second]) {
    await instance.waitFor('onFriendGroupListUpdated', (one) => one.name === 'Sailors' && one.userIDList.includes(bob.user));
    await isIn(instance, bob, 'Sailors');
  }
  await groupsAre(await back(alice), { Sailors: [bob] });
});

test('a name exists once, and there are thirty-two', async () => {
  const [alice] = await world.people('alice');
  await alice.call('createFriendGroup', { name: 'Sailors', userIDList: [] });
  await assert.rejects(alice.call('createFriendGroup', { name: 'Sailors', userIDList: [] }), { code: EXISTS_LOCALLY });
  const GroupName = Array.from({ length: 31 }, (_, index) => `list ${index}`);
  await world.rest('sns/group_add', { From_Account: alice.user, GroupName });
  await assert.rejects(alice.call('createFriendGroup', { name: 'one too many', userIDList: [] }), { code: codeFromModule(LISTS_FULL) });
  const reader = await back(alice);
  const lists = await reader.until('the lists', () => reader.call('getFriendGroupList'), (list) => list.length > 31);
  assert.deepEqual(lists.map((/** @type {any} */ one) => one.name).sort(), ['Sailors', ...GroupName].sort());
});

test('the back end sorts friends, and every instance follows', async () => {
  const { alice, second, bob } = await circle();
  await world.rest('sns/group_add', { From_Account: alice.user, GroupName: ['Customers'], To_Account: [bob.user] });
  for (const instance of [alice, second]) await isIn(instance, bob, 'Customers');
  await groupsAre(await back(alice), { Customers: [bob] });
  const found = await world.rest('sns/group_get', { From_Account: alice.user, NeedFriend: 'Need_Friend_Type_Yes' });
  assert.deepEqual(found.ResultItem.map((/** @type {any} */ one) => [one.GroupName, one.FriendNumber, one.To_Account]), [['Customers', 1, [bob.user]]]);
  await world.rest('sns/group_delete', { From_Account: alice.user, GroupName: ['Customers'] });
  for (const instance of [alice, second]) await isIn(instance, bob);
  assert.deepEqual(await (await back(alice)).call('getFriendGroupList'), []);
});
