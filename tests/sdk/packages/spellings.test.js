/** What the older and the lite packages write or read in another way than the SDK. */

import assert from 'node:assert/strict';
import { LITE, OLDER } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** New people: the first with the package, the second with the SDK. @param {string} name @returns {Promise<[Client, Client]>} */
async function mixed(name) {
  const [alice, bob] = world.names('alice', 'bob');
  return Promise.all([world.login(alice, { package: name }), world.login(bob)]);
}

for (const name of [OLDER, ...Object.values(LITE)]) {
  test(`${name}: a profile that is set here is read there`, async () => {
    const [alice, bob] = await mixed(name);
    await alice.call('updateMyProfile', { nick: 'Ally', selfSignature: 'here' });
    const [seen] = await bob.call('getUserProfile', { userIDList: [alice.user] });
    assert.deepEqual([seen.nick, seen.selfSignature], ['Ally', 'here']);
    await alice.sendText(bob, 'with a name');
    assert.equal((await bob.waitForText('with a name')).nick, 'Ally');
  });

  test(`${name}: with one instance allowed a login elsewhere ends this one`, async () => {
    await world.app.set({ web_instances: 1 });
    try {
      const alice = await world.login(world.names('alice')[0], { package: name });
      await world.login(alice);
      await alice.waitFor('kickedOut', ({ type }) => type === 'multipleAccount');
    } finally {
      await world.app.set({ web_instances: 10 });
    }
  });

  if (name === LITE.basic) continue;

  test(`${name}: a conversation that is pinned, unpinned and deleted elsewhere is so here`, async () => {
    const [alice, bob] = await mixed(name);
    const second = await world.login(alice);
    await bob.sendText(alice, 'list me');
    await alice.conversationWhere(bob, (conversation) => conversation !== undefined);
    await second.call('pinConversation', { conversationID: bob.conversation, isPinned: true });
    await alice.conversationWhere(bob, (conversation) => conversation?.isPinned === true);
    await second.call('pinConversation', { conversationID: bob.conversation, isPinned: false });
    await alice.conversationWhere(bob, (conversation) => conversation?.isPinned === false);
    await second.call('deleteConversation', bob.conversation);
    await alice.conversationWhere(bob, (conversation) => conversation === undefined);
  });

  test(`${name}: who does not want to be disturbed by a peer is told so at the next login`, async () => {
    const [alice, bob] = await mixed(name);
    await bob.sendText(alice, 'psst');
    await alice.conversationWhere(bob, (conversation) => conversation !== undefined);
    await alice.call('setMessageRemindType', { userIDList: [bob.user], messageRemindType: 'AcceptNotNotify' });
    const later = await world.login(alice, { package: name });
    await later.conversationWhere(bob, (conversation) => conversation?.messageRemindType === 'AcceptNotNotify');
  });

  test(`${name}: of two messages of one second the one that was recalled elsewhere is the one that is told`, async () => {
    const [alice, bob] = await mixed(name);
    // Clients number their messages by the second, so these two mostly have one number.
    const [mine, theirs] = await Promise.all([alice.sendText(bob, 'mine'), bob.sendText(alice, 'theirs')]);
    await alice.waitForText('theirs');
    await bob.call('revokeMessage', theirs);
    const told = await alice.waitFor('onMessageRevoked');
    assert.deepEqual([told.ID, told.payload.text], [theirs.ID, 'theirs'], `not ${mine.ID}`);
  });

  // The older package has no reactions.
  if (name === OLDER) continue;

  test(`${name}: reactions are there at the next login`, async () => {
    const [alice, bob] = await mixed(name);
    await alice.sendText(bob, 'like me');
    await bob.call('addMessageReaction', await bob.waitForText('like me'), '[Smile]');
    const later = await world.login(alice, { package: name });
    const { resultList } = await later.call('getMessageReactions', { messageList: await later.history(bob) });
    assert.deepEqual(resultList[0].reactionList.map((/** @type {any} */ one) => [one.reactionID, one.totalUserCount]), [['[Smile]', 1]]);
  });
}
