/** Own and other people's profiles. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

const changes = {
  nick: 'Alice',
  avatar: 'https://files.example.com/alice.png',
  gender: 'Gender_Type_Female',
  selfSignature: 'at the pier',
  allowType: 'AllowType_Type_NeedConfirm',
  birthday: 19990419,
  location: 'Husum',
  language: 7,
  messageSettings: 0,
  level: 3,
  role: 2,
};

test('what one sets others read', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('updateMyProfile', changes);
  const [[seen], own] = await Promise.all([
    bob.call('getUserProfile', { userIDList: [alice.user] }),
    (await world.login(alice)).call('getMyProfile'),
  ]);
  for (const profile of [seen, own]) {
    assert.equal(profile.userID, alice.user);
    for (const [field, value] of Object.entries(changes)) assert.equal(profile[field], value, field);
  }
});

test('several profiles come at once, and who does not exist is left out', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await bob.call('updateMyProfile', { nick: 'Bob' });
  const profiles = await alice.call('getUserProfile', { userIDList: [bob.user, carol.user, 'nobody-at-all'] });
  assert.deepEqual(profiles.map((/** @type {any} */ one) => one.userID).sort(), [bob.user, carol.user].sort());
});

test('an account that never set anything has the default profile', async () => {
  const [alice] = await world.people('alice');
  const own = await alice.call('getMyProfile');
  assert.equal(own.nick, '');
  assert.equal(own.gender || 'Gender_Type_Unknown', 'Gender_Type_Unknown');
});

test('a peer sees the new nick with the next message', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'hello');
  await bob.conversationWhere(alice, (one) => one !== undefined);
  await alice.call('updateMyProfile', { nick: 'Alice in blue' });
  await alice.sendText(bob, 'it is me');
  assert.equal((await bob.waitForText('it is me')).nick, 'Alice in blue');
  await bob.conversationWhere(alice, (one) => one?.userProfile.nick === 'Alice in blue');
});

test('messages carry the stored nick and avatar of their author', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const { nick, avatar } = changes;
  await alice.call('updateMyProfile', { nick, avatar });
  await alice.sendText(bob, 'hello');
  const received = await bob.waitForText('hello');
  const [stored] = await (await world.login(bob)).history(alice);
  for (const message of [received, stored]) {
    assert.equal(message.nick, nick);
    assert.equal(message.avatar, avatar);
  }
});

test('a profile set by the back end shows at every instance and to peers', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await alice.sendText(bob, 'hello');
  await bob.conversationWhere(alice, (one) => one !== undefined);
  await world.rest('profile/portrait_set', {
    From_Account: alice.user,
    ProfileItem: [
      { Tag: 'Tag_Profile_IM_Nick', Value: 'Ms Alice' },
      { Tag: 'Tag_Profile_IM_Level', Value: 9 },
    ],
  });
  for (const instance of [alice, second]) {
    const profile = await instance.waitFor('onProfileUpdated', (one) => one.userID === alice.user && one.nick === 'Ms Alice');
    assert.equal(profile.level, 9);
  }
  assert.equal((await second.call('getMyProfile')).nick, 'Ms Alice');
  // The SDK shows a push to friends only; others see it at the next login or message.
  await (await world.login(bob)).conversationWhere(alice, (one) => one?.userProfile.nick === 'Ms Alice');
});
