/** Friends: becoming and being one, what one notes of them, and what ends it. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const BAD_PARAMETER = 30001;
const UNKNOWN = 30003;
const BLOCKED_BY_ME = 30515;
const DENIES_ALL = 30516;
const BLOCKED_BY_PEER = 30525;
const NO_FRIENDS = 20009;
const NOT_ON_RECEIVERS_LIST = 20010;
const NOT_ON_SENDERS_LIST = 20011;

const world = await World.open({ custom_friend_fields: 'Test:string,Num:integer' });

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

/** @param {Client | string} to @param {object} [more] */
const request = (to, more) => ({ to: typeof to === 'string' ? to : to.user, source: 'AddSource_Type_Web', type: 'Add_Type_Both', ...more });

/** Resolves with the entry of a friend once it is listed and fits. @param {Client} client @param {Client} friend @param {(one: any) => boolean} [fits] */
async function listed(client, friend, fits = () => true) {
  const find = (/** @type {any[]} */ list) => list.find((one) => one.userID === friend.user && fits(one));
  return find(await client.until(`${friend.user} as a friend`, () => client.call('getFriendList'), (list) => find(list) !== undefined));
}

/** @param {Client} client @param {...Client} friends */
const hasExactly = (client, ...friends) => client.until(
  `the friends ${friends.map((one) => one.user)}`,
  () => client.call('getFriendList'),
  (list) => String(list.map((/** @type {any} */ one) => one.userID).sort()) === String(friends.map((one) => one.user).sort()),
);

/** Two instances of alice and two of bob, who are friends. */
async function friends() {
  const [alice, bob] = await world.people('alice', 'bob');
  const [second, other] = await Promise.all([back(alice), back(bob)]);
  await alice.call('addFriend', request(bob));
  for (const instance of [alice, second]) await listed(instance, bob);
  for (const instance of [bob, other]) await listed(instance, alice);
  return { alice, second, bob, other };
}

test('who lets everybody is a friend at once, at every instance of both sides and at the next login', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const [second, other] = await Promise.all([back(alice), back(bob)]);
  await bob.call('updateMyProfile', { nick: 'Bob of the bay' });
  const answer = await alice.call('addFriend', request(bob, { wording: 'from the pier', remark: 'Bobby', groupName: 'Sailors' }));
  assert.deepEqual([answer.userID, answer.code], [bob.user, 0]);
  for (const instance of [alice, second]) {
    await instance.waitFor('onFriendListUpdated', (one) => one.userID === bob.user);
  }
  for (const instance of [bob, other]) {
    const friend = await instance.waitFor('onFriendListUpdated', (one) => one.userID === alice.user);
    assert.equal(friend.remark, '');
    assert.deepEqual(friend.groupList, []);
  }
  for (const instance of [alice, second, await back(alice)]) {
    const friend = await listed(instance, bob, (one) => one.profile.nick === 'Bob of the bay');
    assert.equal(friend.remark, 'Bobby');
    assert.deepEqual(friend.groupList, ['Sailors']);
    assert.equal(friend.source, 'AddSource_Type_Web');
  }
  await hasExactly(await back(bob), alice);
});

test('what cannot be added is told with its number', async () => {
  const { alice, bob } = await friends();
  const [carol, dave, erin] = await world.people('carol', 'dave', 'erin');
  await carol.call('updateMyProfile', { allowType: 'AllowType_Type_DenyAny' });
  await alice.call('addToBlacklist', { userIDList: [dave.user] });
  await erin.call('addToBlacklist', { userIDList: [alice.user] });
  for (const [to, code] of /** @type {[Client | string, number][]} */ ([
    ['nobody-at-all', UNKNOWN],
    [alice, BAD_PARAMETER],
    [bob, BAD_PARAMETER],
    [carol, DENIES_ALL],
    [dave, BLOCKED_BY_ME],
    [erin, BLOCKED_BY_PEER],
  ])) {
    await assert.rejects(alice.call('addFriend', request(to)), { code });
  }
  await hasExactly(await back(alice), bob);
});

test('a friend on one side only is one on one side only', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('addFriend', request(bob, { type: 'Add_Type_Single' }));
  await listed(alice, bob);
  const check = async (/** @type {Client} */ one, /** @type {Client} */ peer, /** @type {string} */ type) => {
    const { successUserIDList } = await one.call('checkFriend', { userIDList: [peer.user], type });
    return successUserIDList[0].relation;
  };
  assert.equal(await check(alice, bob, 'CheckResult_Type_Both'), 'CheckResult_Type_AWithB');
  assert.equal(await check(bob, alice, 'CheckResult_Type_Both'), 'CheckResult_Type_BWithA');
  assert.equal(await check(bob, alice, 'CheckResult_Type_Single'), 'CheckResult_Type_NoRelation');
  await bob.call('addFriend', request(alice));
  await listed(bob, alice);
  assert.equal(await check(alice, bob, 'CheckResult_Type_Both'), 'CheckResult_Type_BothWay');
  await hasExactly(await back(alice), bob);
});

test('a check names who does not exist', async () => {
  const { alice, bob } = await friends();
  const userIDList = [bob.user, 'nobody-at-all'];
  const checked = await alice.call('checkFriend', { userIDList, type: 'CheckResult_Type_Both' });
  assert.deepEqual(checked.successUserIDList.map((/** @type {any} */ one) => [one.userID, one.relation]), [[bob.user, 'CheckResult_Type_BothWay']]);
  assert.deepEqual(checked.failureUserIDList.map((/** @type {any} */ one) => [one.userID, one.code]), [['nobody-at-all', UNKNOWN]]);
});

test('a friend who is deleted on both sides is gone at every instance, also at the next login', async () => {
  const { alice, second, bob, other } = await friends();
  const { successUserIDList } = await alice.call('deleteFriend', { userIDList: [bob.user], type: 'Delete_Type_Both' });
  assert.deepEqual(successUserIDList.map((/** @type {any} */ one) => one.userID), [bob.user]);
  for (const instance of [alice, second, bob, other]) await hasExactly(instance);
  for (const person of [alice, bob]) assert.deepEqual(await (await back(person)).call('getFriendList'), []);
});

test('a friend who is deleted on one side still has the other', async () => {
  const { alice, second, bob, other } = await friends();
  await alice.call('deleteFriend', { userIDList: [bob.user], type: 'Delete_Type_Single' });
  for (const instance of [alice, second]) await hasExactly(instance);
  await alice.sendText(bob, 'marker');
  for (const instance of [bob, other]) {
    await instance.waitForText('marker');
    await hasExactly(instance, alice);
  }
  // Bob ends it for both, and alice, who has no entry any more, goes on undisturbed.
  await bob.call('deleteFriend', { userIDList: [alice.user], type: 'Delete_Type_Both' });
  for (const instance of [bob, other]) await hasExactly(instance);
  await bob.sendText(alice, 'still here');
  await alice.waitForText('still here');
});

test('a remark shows in the list of friends and in the conversation, for who wrote it alone', async () => {
  const { alice, second, bob } = await friends();
  await bob.sendText(alice, 'hello');
  for (const instance of [alice, second]) await instance.conversationWhere(bob, (one) => one !== undefined);
  const updated = await alice.call('updateFriend', {
    userID: bob.user,
    remark: 'Bobby',
    friendCustomField: [{ key: 'Tag_SNS_Custom_Test', value: 'met at sea' }],
  });
  assert.equal(updated.remark, 'Bobby');
  for (const instance of [alice, second, await back(alice)]) {
    const friend = await listed(instance, bob, (one) => one.remark === 'Bobby' && one.friendCustomField.length === 1);
    assert.deepEqual(friend.friendCustomField, [{ key: 'Tag_SNS_Custom_Test', value: 'met at sea' }]);
    await instance.conversationWhere(bob, (one) => one?.remark === 'Bobby');
  }
  const reader = await back(bob);
  assert.equal((await listed(reader, alice)).remark, '');
});

test('a note that the app does not know, and one that is too long, is refused', async () => {
  const { alice, bob } = await friends();
  for (const change of [
    { friendCustomField: [{ key: 'Tag_SNS_Custom_Other', value: 'x' }] },
    { friendCustomField: [{ key: 'Tag_SNS_Custom_Test', value: 'x'.repeat(501) }] },
  ]) {
    await assert.rejects(alice.call('updateFriend', { userID: bob.user, ...change }), { code: BAD_PARAMETER });
  }
  const friend = await listed(await back(alice), bob);
  assert.equal(friend.remark, '');
  assert.deepEqual(friend.friendCustomField, []);
});

test('the profile of a friend comes with the notes, and follows its changes', async () => {
  const { alice, second, bob } = await friends();
  await alice.call('updateFriend', { userID: bob.user, remark: 'Bobby' });
  await bob.call('updateMyProfile', { nick: 'Captain Bob' });
  for (const instance of [alice, second]) {
    await instance.waitFor('onProfileUpdated', (one) => one.userID === bob.user && one.nick === 'Captain Bob');
    await listed(instance, bob, (one) => one.profile.nick === 'Captain Bob');
  }
  const { friendList, failureUserIDList } = await (await back(alice)).call('getFriendProfile', { userIDList: [bob.user, 'stranger'] });
  assert.deepEqual(friendList.map((/** @type {any} */ one) => [one.userID, one.remark, one.profile.nick]), [[bob.user, 'Bobby', 'Captain Bob']]);
  assert.deepEqual(failureUserIDList.map((/** @type {any} */ one) => one.userID), ['stranger']);
});

test('blocking a friend ends the friendship at every instance of both sides', async () => {
  const { alice, second, bob, other } = await friends();
  await alice.call('addToBlacklist', { userIDList: [bob.user] });
  for (const instance of [alice, second, bob, other]) await hasExactly(instance);
  await second.until('the block list', () => second.call('getBlacklist'), (list) => String(list) === bob.user);
  assert.deepEqual(await bob.call('getBlacklist'), []);
  for (const person of [alice, bob]) assert.deepEqual(await (await back(person)).call('getFriendList'), []);
});

test('more friends than fit on one page are all listed, once', async () => {
  const [alice] = await world.people('alice');
  const peers = Array.from({ length: 120 }, (_, index) => `peer-${index}-of-${alice.user}`);
  for (let from = 0; from < peers.length; from += 100) {
    await world.rest('im_open_login_svc/multiaccount_import', { Accounts: peers.slice(from, from + 100) });
  }
  const AddFriendItem = peers.map((peer) => ({ To_Account: peer, AddSource: 'AddSource_Type_Old', Remark: `about ${peer}` }));
  await world.rest('sns/friend_import', { From_Account: alice.user, AddFriendItem });
  const expected = peers.map((peer) => [peer, `about ${peer}`]).sort();
  for (const instance of [alice, await back(alice)]) {
    const list = await instance.until('120 friends', () => instance.call('getFriendList'), (found) => found.length >= peers.length);
    assert.deepEqual(list.map((/** @type {any} */ one) => [one.userID, one.remark]).sort(), expected);
  }
});

test('the back end changes friends and every instance follows', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await back(alice);
  await bob.call('updateMyProfile', { allowType: 'AllowType_Type_DenyAny' });
  const item = { To_Account: bob.user, AddSource: 'AddSource_Type_Shop', Remark: 'Bobby' };
  await world.rest('sns/friend_add', { From_Account: alice.user, AddFriendItem: [item], ForceAddFlags: 1 });
  for (const instance of [alice, second]) await listed(instance, bob, (one) => one.remark === 'Bobby');
  await listed(bob, alice);
  const SnsItem = [{ Tag: 'Tag_SNS_IM_Remark', Value: 'Rob' }];
  await world.rest('sns/friend_update', { From_Account: alice.user, UpdateItem: [{ To_Account: bob.user, SnsItem }] });
  for (const instance of [alice, second]) await listed(instance, bob, (one) => one.remark === 'Rob');
  await world.rest('sns/friend_delete_all', { From_Account: alice.user, DeleteType: 'Delete_Type_Both' });
  for (const instance of [alice, second, bob]) await hasExactly(instance);
});

test('what changes while an instance is away is there when it comes back', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const tapped = await world.login(alice, { tapped: true });
  await alice.call('addFriend', request(bob));
  await listed(tapped, bob);
  tapped.proxy.pause();
  await alice.call('addFriend', request(carol, { remark: 'Carrie' }));
  await listed(alice, carol);
  const since = tapped.proxy.frames.length;
  tapped.proxy.resume();
  await tapped.proxy.waitFor('the list of friends again', (frame) => frame.from === 'server' && frame.head.servcmd === 'sns.friend_get', { since });
  await listed(tapped, carol, (one) => one.remark === 'Carrie');
});

test('an app may let only friends write to each other', async () => {
  await world.app.set({ friendship_check: 'both' });
  try {
    const [alice, bob] = await world.people('alice', 'bob');
    await assert.rejects(alice.sendText(bob, 'as a stranger'), { code: NO_FRIENDS });
    await alice.call('addFriend', request(bob, { type: 'Add_Type_Single' }));
    await assert.rejects(alice.sendText(bob, 'unlisted there'), { code: NOT_ON_RECEIVERS_LIST });
    await assert.rejects(bob.sendText(alice, 'unlisted here'), { code: NOT_ON_SENDERS_LIST });
    await bob.call('addFriend', request(alice));
    await alice.sendText(bob, 'as a friend');
    await bob.waitForText('as a friend');
    await bob.sendText(alice, 'likewise');
    await alice.waitForText('likewise');
    assert.deepEqual(bob.textsReceived, ['as a friend']);
    assert.deepEqual(alice.textsReceived, ['likewise']);
    const history = await (await back(bob)).history(alice);
    assert.deepEqual(history.map((message) => message.payload.text), ['as a friend', 'likewise']);
  } finally {
    await world.app.set({ friendship_check: 'off' });
  }
});
