/** Conversation groups: names under which an account gathers conversations, the same at all of its instances. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const GROUP_MISSING = 51009;
const TOO_MANY_GROUPS = 51010;
const LIST_UPDATED = 'onConversationGroupListUpdated';
const IN_GROUP_UPDATED = 'onConversationInGroupUpdated';

const world = await World.open();

/** @param {any[]} conversations */
const ids = (conversations) => conversations.map((one) => one.conversationID).sort();

/** Two instances of alice that know conversations with bob and carol. */
async function twoOfAlice() {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  const second = await world.login(alice);
  await bob.sendText(alice, 'hello');
  await carol.sendText(alice, 'hello');
  for (const instance of [alice, second]) {
    for (const peer of [bob, carol]) await instance.conversationWhere(peer, (one) => one !== undefined);
  }
  return { alice, second, bob, carol };
}

/**
 * Resolves once an instance has these groups.
 * @param {import('../harness/client.js').Client} instance
 * @param {string[]} names
 */
const groupsAre = (instance, names) =>
  instance.until(`the groups ${names}`, () => instance.call('getConversationGroupList'), (list) => String(list) === String(names));

/**
 * Resolves once a group holds these conversations.
 * @param {import('../harness/client.js').Client} instance
 * @param {string} groupName
 * @param {import('../harness/client.js').Client[]} peers
 */
const membersAre = (instance, groupName, peers) => instance.until(
  `members of ${groupName}`,
  async () => ids((await instance.call('getConversationList', { groupName })).conversationList),
  (found) => String(found) === String(peers.map((peer) => peer.conversation).sort()),
);

test('a new group shows at the other instance and at the next login', async () => {
  const { alice, second, bob } = await twoOfAlice();
  const made = await alice.call('createConversationGroup', { groupName: 'work', conversationIDList: [bob.conversation] });
  assert.deepEqual(made, { successConversationIDList: [bob.conversation], failureConversationIDList: [] });
  await second.waitFor(LIST_UPDATED, (name) => name === 'work');
  for (const instance of [alice, second, await world.login(alice)]) {
    await groupsAre(instance, ['work']);
    await membersAre(instance, 'work', [bob]);
    const found = await instance.conversationWhere(bob, (one) => one?.conversationGroupList.length === 1);
    assert.deepEqual(found.conversationGroupList, ['work']);
  }
  assert.deepEqual(bob.seen(LIST_UPDATED).filter((name) => name === 'work'), [], 'groups are nobody else\'s business');
});

test('conversations that are put into a group and taken out show at the other instance', async () => {
  const { alice, second, bob, carol } = await twoOfAlice();
  await alice.call('createConversationGroup', { groupName: 'work', conversationIDList: [bob.conversation] });
  await membersAre(second, 'work', [bob]);
  const added = await alice.call('addConversationsToGroup', { groupName: 'work', conversationIDList: [carol.conversation] });
  assert.deepEqual(added.successConversationIDList, [carol.conversation]);
  for (const instance of [alice, second]) {
    const change = await instance.waitFor(IN_GROUP_UPDATED, (one) => one.groupName === 'work' && one.conversationList.length === 2);
    assert.deepEqual(ids(change.conversationList), [bob.conversation, carol.conversation].sort());
  }
  const removed = await alice.call('deleteConversationsFromGroup', { groupName: 'work', conversationIDList: [bob.conversation] });
  assert.deepEqual(removed.successConversationIDList, [bob.conversation]);
  for (const instance of [alice, second]) {
    await instance.waitFor(IN_GROUP_UPDATED, (one) => String(ids(one.conversationList)) === carol.conversation);
  }
  for (const instance of [alice, second, await world.login(alice)]) await membersAre(instance, 'work', [carol]);
});

test('a group gets another name at every instance', async () => {
  const { alice, second, bob } = await twoOfAlice();
  await alice.call('createConversationGroup', { groupName: 'work', conversationIDList: [bob.conversation] });
  await groupsAre(second, ['work']);
  await alice.call('renameConversationGroup', { oldName: 'work', newName: 'office' });
  await second.waitFor(LIST_UPDATED, (name) => name === 'office');
  for (const instance of [alice, second, await world.login(alice)]) {
    await groupsAre(instance, ['office']);
    await membersAre(instance, 'office', [bob]);
  }
});

test('a deleted group is gone at every instance and its conversations stay', async () => {
  const { alice, second, bob, carol } = await twoOfAlice();
  for (const groupName of ['work', 'home']) {
    await alice.call('createConversationGroup', { groupName, conversationIDList: [bob.conversation, carol.conversation] });
  }
  await groupsAre(second, ['work', 'home']);
  const since = second.events.length;
  await alice.call('deleteConversationGroup', 'work');
  await second.waitFor(LIST_UPDATED, (name) => name === 'home', { since });
  for (const instance of [alice, second, await world.login(alice)]) {
    await groupsAre(instance, ['home']);
    await membersAre(instance, 'home', [bob, carol]);
    const found = await instance.conversationWhere(bob, (one) => one?.conversationGroupList.length === 1);
    assert.deepEqual(found.conversationGroupList, ['home']);
  }
});

test('a conversation that comes back after its deletion is in its groups', async () => {
  const { alice, second, bob } = await twoOfAlice();
  await alice.call('createConversationGroup', { groupName: 'work', conversationIDList: [bob.conversation] });
  await membersAre(second, 'work', [bob]);
  await alice.call('deleteConversation', bob.conversation);
  await second.conversationWhere(bob, (one) => one === undefined);
  await bob.sendText(alice, 'once more');
  for (const instance of [alice, second]) await membersAre(instance, 'work', [bob]);
});

test('the back end changes groups and every instance follows', async () => {
  const { alice, second, bob, carol } = await twoOfAlice();
  /** @param {import('../harness/client.js').Client} peer */
  const contact = (peer) => ({ Type: 1, To_Account: peer.user });
  const from = { From_Account: alice.user };
  await world.rest('recentcontact/create_contact_group', {
    ...from,
    GroupContactItem: [{ GroupName: 'vip', ContactItem: [contact(bob)] }],
  });
  for (const instance of [alice, second]) await membersAre(instance, 'vip', [bob]);
  await world.rest('recentcontact/update_contact_group', {
    ...from,
    UpdateType: 1,
    UpdateGroup: {
      UpdateGroupType: 2,
      OldGroupName: 'vip',
      ContactUpdateItem: [
        { ContactOptType: 1, ContactItem: contact(carol) },
        { ContactOptType: 2, ContactItem: contact(bob) },
      ],
    },
  });
  for (const instance of [alice, second]) await membersAre(instance, 'vip', [carol]);
  await world.rest('recentcontact/mark_contact', {
    ...from,
    MarkItem: [{ OptType: 3, ContactItem: contact(carol), SetMark: [0], CustomMark: 'gold' }],
  });
  for (const instance of [alice, second]) {
    await instance.conversationWhere(carol, (one) => String(one?.markList) === '1' && one.customData === 'gold');
  }
  await world.rest('recentcontact/del_contact_group', { ...from, GroupName: ['vip'] });
  for (const instance of [alice, second]) await groupsAre(instance, []);
});

test('what cannot be done is told with its number', async () => {
  const { alice, bob } = await twoOfAlice();
  const conversationIDList = [bob.conversation];
  await assert.rejects(alice.call('deleteConversationGroup', 'nothing'), { code: GROUP_MISSING });
  await assert.rejects(alice.call('renameConversationGroup', { oldName: 'nothing', newName: 'new' }), { code: GROUP_MISSING });
  await assert.rejects(alice.call('addConversationsToGroup', { groupName: 'nothing', conversationIDList }), { code: GROUP_MISSING });
  for (let number = 0; number < 20; number++) {
    await alice.call('createConversationGroup', { groupName: `group ${number}`, conversationIDList });
  }
  await assert.rejects(alice.call('createConversationGroup', { groupName: 'one more', conversationIDList }), { code: TOO_MANY_GROUPS });
});
