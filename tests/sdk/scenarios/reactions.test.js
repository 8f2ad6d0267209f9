/** Reactions that both sides put under a message. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const REACTED_ALREADY = 23007;
const TOO_MANY = 23005;

const world = await World.open();

/** Alice writes to bob, who has two instances. */
async function greeting() {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(bob);
  const sent = await alice.sendText(bob, 'we won');
  const received = await bob.waitForText('we won');
  const copy = await second.waitForText('we won');
  return { alice, bob, second, sent, received, copy };
}

/**
 * What is asked of the reactions to a message: name, number and names of accounts, whether the own one is among them.
 * @param {any} update
 */
const said = ({ reactionList }) => reactionList.map((/** @type {any} */ one) => [
  one.reactionID, one.totalUserCount, one.partialUserList.map((/** @type {any} */ user) => user.userID), one.reactedByMyself,
]);

/** @param {import('../harness/client.js').Client} client @param {any} message @param {any[]} expected */
const hears = (client, message, expected) => client.waitFor(
  'onMessageReactionsUpdated',
  (update) => update.messageID === message.ID && JSON.stringify(said(update)) === JSON.stringify(expected),
);

test('a reaction reaches both sides and all instances', async () => {
  const { alice, bob, second, sent, received } = await greeting();
  await bob.call('addMessageReaction', received, '[Smile]');
  await hears(alice, sent, [['[Smile]', 1, [bob.user], false]]);
  await hears(bob, received, [['[Smile]', 1, [bob.user], true]]);
  await hears(second, sent, [['[Smile]', 1, [bob.user], true]]);
  await alice.call('addMessageReaction', sent, '[Smile]');
  for (const client of [alice, bob]) {
    await hears(client, sent, [['[Smile]', 2, [bob.user, alice.user], true]]);
  }
});

test('a reaction that is taken back is gone everywhere', async () => {
  const { alice, bob, sent, received } = await greeting();
  await bob.call('addMessageReaction', received, '[Smile]');
  await hears(alice, sent, [['[Smile]', 1, [bob.user], false]]);
  await bob.call('removeMessageReaction', received, '[Smile]');
  await hears(alice, sent, [['[Smile]', 0, [], false]]);
  const { resultList } = await alice.call('getMessageReactions', { messageList: [sent], maxUserCountPerReaction: 5 });
  assert.deepEqual(said(resultList[0]), []);
});

test('reactions to messages of both directions are there at the next login', async () => {
  const { alice, bob, sent, received } = await greeting();
  const answer = await bob.sendText(alice, 'hurray');
  await bob.call('addMessageReaction', received, '[Smile]');
  await alice.call('addMessageReaction', sent, '[Cup]');
  await alice.call('addMessageReaction', await alice.waitForText('hurray'), '[Smile]');
  const reader = await world.login(bob);
  const messageList = await reader.history(alice);
  assert.deepEqual(messageList.map((message) => message.ID), [sent.ID, answer.ID]);
  const { resultList } = await reader.call('getMessageReactions', { messageList, maxUserCountPerReaction: 5 });
  assert.deepEqual(resultList.map((/** @type {any} */ one) => one.messageID), [sent.ID, answer.ID]);
  assert.deepEqual(said(resultList[0]), [['[Smile]', 1, [bob.user], true], ['[Cup]', 1, [alice.user], false]]);
  assert.deepEqual(said(resultList[1]), [['[Smile]', 1, [alice.user], false]]);
});

test('everybody who reacted is listed, with nicks', async () => {
  const { alice, bob, sent, received } = await greeting();
  await bob.call('updateMyProfile', { nick: 'Bob B.' });
  await bob.call('addMessageReaction', received, '[Smile]');
  await alice.call('addMessageReaction', sent, '[Smile]');
  const found = await alice.call('getAllUserListOfMessageReaction', { message: sent, reactionID: '[Smile]', nextSeq: 0, count: 100 });
  assert.deepEqual(found.userList.map((/** @type {any} */ user) => user.userID), [bob.user, alice.user]);
  assert.equal(found.userList[0].nick, 'Bob B.');
  assert.equal(found.isCompleted, true);
});

test('a reaction is made once, and a message has ten different ones', async () => {
  const { alice, bob, sent, received } = await greeting();
  for (let number = 0; number < 10; number += 1) await alice.call('addMessageReaction', sent, `[${number}]`);
  await assert.rejects(alice.call('addMessageReaction', sent, '[3]'), { code: REACTED_ALREADY });
  await assert.rejects(bob.call('addMessageReaction', received, '[10]'), { code: TOO_MANY });
  await bob.call('addMessageReaction', received, '[9]');
  await hears(alice, sent, [['[9]', 2, [alice.user, bob.user], true]]);
});

test('a message that was recalled takes no reactions any more', async () => {
  const { alice, bob, sent, received } = await greeting();
  await bob.call('addMessageReaction', received, '[Smile]');
  await alice.call('revokeMessage', sent);
  await bob.waitFor('onMessageRevoked', (message) => message.ID === sent.ID);
  await assert.rejects(bob.call('addMessageReaction', received, '[Cup]'));
});
