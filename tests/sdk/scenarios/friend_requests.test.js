/** Requests to become friends: made, read, answered, deleted. */

import assert from 'node:assert/strict';
import { clockPasses } from '../harness/clock.js';
import { codeFromModule } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const WAITS = 30539;
const MAY_NOT_ASK = 30009;
const NO_SUCH_REQUEST = 30614;
const RECEIVED = 'Pendency_Type_ComeIn';
const SENT = 'Pendency_Type_SendOut';

const world = await World.open({ default_allow_type: 'need_confirm' });

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

/** @param {Client} client @param {(list: any[], unread: number) => boolean} fits */
const applications = (client, fits) => client.until(
  'applications as expected',
  () => client.call('getFriendApplicationList'),
  ({ friendApplicationList, unreadCount }) => fits(friendApplicationList, unreadCount),
);

/** @param {Client} client */
const noApplications = (client) => applications(client, (list) => list.length === 0);

/** @param {Client} client @param {...Client} friends */
const hasFriends = (client, ...friends) => client.until(
  `the friends ${friends.map((one) => one.user)}`,
  () => client.call('getFriendList'),
  (list) => String(list.map((/** @type {any} */ one) => one.userID).sort()) === String(friends.map((one) => one.user).sort()),
);

/** @param {Client} from @param {Client} to */
async function ask(from, to) {
  const answer = await from.call('addFriend', { to: to.user, source: 'AddSource_Type_Web', wording: 'it is me', remark: 'my friend', type: 'Add_Type_Both' });
  assert.deepEqual([answer.userID, answer.code], [to.user, WAITS]);
}

/** Alice has asked bob; both have two instances, which know of it. */
async function asked() {
  const [alice, bob] = await world.people('alice', 'bob');
  const [second, other] = await Promise.all([back(alice), back(bob)]);
  await ask(alice, bob);
  for (const instance of [alice, second, bob, other]) await applications(instance, (list) => list.length === 1);
  return { alice, second, bob, other };
}

test('a request shows at every instance of both sides and at the next login', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('updateMyProfile', { nick: 'Alice in blue', avatar: 'https://files.example.com/alice.png' });
  const [second, other] = await Promise.all([back(alice), back(bob)]);
  await ask(alice, bob);
  for (const instance of [bob, other]) {
    await instance.waitFor('onFriendApplicationListUpdated', (data) => data.friendApplicationList?.length === 1 && data.unreadCount === 1);
  }
  for (const instance of [alice, second]) {
    await instance.waitFor('onFriendApplicationListUpdated', (data) => data.friendApplicationList?.length === 1 && data.unreadCount === 0);
  }
  for (const instance of [bob, other, await back(bob)]) {
    const { friendApplicationList: [one] } = await applications(instance, (list, unread) => list.length === 1 && unread === 1);
    assert.equal(one.userID, alice.user);
    assert.equal(one.type, RECEIVED);
    assert.equal(one.nick, 'Alice in blue');
    assert.equal(one.avatar, 'https://files.example.com/alice.png');
    assert.equal(one.wording, 'it is me');
    assert.equal(one.source, 'AddSource_Type_Web');
    assert.ok(Math.abs(one.time - Date.now() / 1000) < 60);
  }
  for (const instance of [alice, second, await back(alice)]) {
    const { friendApplicationList: [one] } = await applications(instance, (list, unread) => list.length === 1 && unread === 0);
    assert.deepEqual([one.userID, one.type], [bob.user, SENT]);
    assert.deepEqual(await instance.call('getFriendList'), []);
  }
});

test('who accepts and adds has a friend and is one, and the request is gone', async () => {
  const { alice, second, bob, other } = await asked();
  await bob.call('acceptFriendApplication', { userID: alice.user, remark: 'the one in blue', type: 'Response_Action_AgreeAndAdd' });
  for (const instance of [alice, second]) {
    const friend = await instance.waitFor('onFriendListUpdated', (one) => one.userID === bob.user);
    assert.equal(friend.remark, 'my friend');
  }
  for (const instance of [bob, other]) {
    const friend = await instance.waitFor('onFriendListUpdated', (one) => one.userID === alice.user);
    assert.equal(friend.remark, 'the one in blue');
  }
  for (const instance of [alice, second, bob, other]) await noApplications(instance);
  for (const [person, friend] of [[alice, bob], [bob, alice]]) {
    const reader = await back(person);
    await hasFriends(reader, friend);
    await noApplications(reader);
  }
});

test('who only accepts is a friend and has none', async () => {
  const { alice, second, bob, other } = await asked();
  await bob.call('acceptFriendApplication', { userID: alice.user, type: 'Response_Action_Agree' });
  for (const instance of [alice, second]) await hasFriends(instance, bob);
  for (const instance of [alice, second, bob, other]) await noApplications(instance);
  for (const instance of [bob, other, await back(bob)]) assert.deepEqual(await instance.call('getFriendList'), []);
});

test('a refused request is gone everywhere and can be made again', async () => {
  const { alice, second, bob, other } = await asked();
  await bob.call('refuseFriendApplication', { userID: alice.user });
  for (const instance of [alice, second, bob, other]) await noApplications(instance);
  assert.deepEqual(await (await back(alice)).call('getFriendList'), []);
  await ask(alice, bob);
  for (const instance of [bob, other]) await applications(instance, (list) => list.length === 1);
});

test('a request can be deleted by who received it', async () => {
  const { alice, bob, other } = await asked();
  await bob.call('deleteFriendApplication', { userID: alice.user, type: RECEIVED });
  for (const instance of [bob, other, await back(bob)]) await noApplications(instance);
  await assert.rejects(bob.call('acceptFriendApplication', { userID: alice.user, type: 'Response_Action_AgreeAndAdd' }), { code: NO_SUCH_REQUEST });
  await hasFriends(await back(bob));
});

test('a request can be deleted by who sent it', async () => {
  const { alice, second, bob } = await asked();
  await alice.call('deleteFriendApplication', { userID: bob.user, type: SENT });
  for (const instance of [alice, second, await back(alice)]) await noApplications(instance);
});

test('requests that were read at one instance are read at the other and at the next login', async () => {
  const { bob, other } = await asked();
  const { friendApplicationList: [one] } = await applications(other, (_, unread) => unread === 1);
  // The SDK names the second until which it has read, by a clock that may be a second late.
  await clockPasses(one.time + 2);
  await bob.call('setFriendApplicationRead');
  await other.waitFor('onFriendApplicationListUpdated', (data) => data.friendApplicationList?.length === 1 && data.unreadCount === 0);
  for (const instance of [other, await back(bob)]) {
    await applications(instance, (list, unread) => list.length === 1 && unread === 0);
  }
  const [carol] = await world.people('carol');
  await ask(carol, bob);
  for (const instance of [bob, other]) await applications(instance, (list, unread) => list.length === 2 && unread === 1);
});

test('several people ask, and each is answered by itself', async () => {
  const [alice, bob, carol, dave] = await world.people('alice', 'bob', 'carol', 'dave');
  for (const person of [alice, carol, dave]) await ask(person, bob);
  await applications(bob, (list, unread) => list.length === 3 && unread === 3);
  await bob.call('acceptFriendApplication', { userID: alice.user, type: 'Response_Action_AgreeAndAdd' });
  await bob.call('refuseFriendApplication', { userID: carol.user });
  await hasFriends(bob, alice);
  await applications(bob, (list) => list.length === 1 && list[0].userID === dave.user);
  await hasFriends(await back(carol));
});

test('who never asked cannot be accepted', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  for (const type of ['Response_Action_Agree', 'Response_Action_AgreeAndAdd']) {
    await assert.rejects(alice.call('acceptFriendApplication', { userID: bob.user, type }), { code: NO_SUCH_REQUEST });
  }
  await assert.rejects(alice.call('refuseFriendApplication', { userID: bob.user }), { code: NO_SUCH_REQUEST });
});

test('who may not ask is refused', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const forbid = (/** @type {string} */ Value) => world.rest('profile/portrait_set', {
    From_Account: alice.user,
    ProfileItem: [{ Tag: 'Tag_Profile_IM_AdminForbidType', Value }],
  });
  await forbid('AdminForbid_Type_SendOut');
  await assert.rejects(
    alice.call('addFriend', { to: bob.user, source: 'AddSource_Type_Web', type: 'Add_Type_Both' }),
    { code: codeFromModule(MAY_NOT_ASK) },
  );
  await forbid('AdminForbid_Type_None');
  await ask(alice, bob);
});

test('the back end asks for somebody, and both SDKs show it', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const item = { To_Account: bob.user, AddSource: 'AddSource_Type_Shop', AddWording: 'a customer' };
  const answer = await world.rest('sns/friend_add', { From_Account: alice.user, AddFriendItem: [item] });
  assert.equal(answer.ResultItem[0].ResultCode, WAITS);
  await applications(bob, (list) => list.length === 1 && list[0].wording === 'a customer');
  await applications(alice, (list) => list.length === 1 && list[0].type === SENT);
});
