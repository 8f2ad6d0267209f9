/** Searching messages and people on the server. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const NOT_THERE = 60020;

const world = await World.open();

/**
 * The messages that a search of one conversation finds, as texts.
 * @param {any} client
 * @param {any} peer
 * @param {object} options
 */
async function found(client, peer, options) {
  const conversationID = `C2C${peer.user}`;
  const answer = await client.call('searchCloudMessages', { conversationID, ...options });
  const messages = answer.searchResultList.flatMap((/** @type {any} */ item) => item.messageList);
  return messages.map((/** @type {any} */ message) => message.payload.text);
}

test('both sides find what was written, in any language', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await alice.sendText(bob, '明天去北京大学开会');
  await bob.sendText(alice, '東京タワーへ行きました');
  await alice.sendText(bob, '서울에서 만나요');
  await bob.sendText(alice, 'Let us meet at the Café');
  for (const [client, peer] of [[alice, bob], [bob, alice], [second, bob]]) {
    assert.deepEqual(await found(client, peer, { keywordList: ['北京'] }), ['明天去北京大学开会']);
    assert.deepEqual(await found(client, peer, { keywordList: ['タワー'] }), ['東京タワーへ行きました']);
    assert.deepEqual(await found(client, peer, { keywordList: ['서울'] }), ['서울에서 만나요']);
    assert.deepEqual(await found(client, peer, { keywordList: ['cafe'] }), ['Let us meet at the Café']);
    assert.deepEqual(await found(client, peer, { keywordList: ['上海'] }), []);
    const both = { keywordList: ['北京', 'cafe'] };
    assert.deepEqual(await found(client, peer, both), ['Let us meet at the Café', '明天去北京大学开会']);
    assert.deepEqual(await found(client, peer, { ...both, keywordListMatchType: 'and' }), []);
  }
  const own = { keywordList: [], senderUserIDList: [alice.user], messageTypeList: ['TIMTextElem'] };
  assert.deepEqual(await found(bob, alice, own), ['서울에서 만나요', '明天去北京大学开会']);
});

test('pages of one conversation follow each other', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  for (let number = 0; number < 7; number += 1) await alice.sendText(bob, `page ${number}`);
  const texts = [];
  let cursor = '';
  do {
    const answer = await bob.call('searchCloudMessages', { keywordList: ['page'], conversationID: `C2C${alice.user}`, count: 3, cursor });
    assert.equal(answer.totalCount, 7);
    texts.push(...answer.searchResultList.flatMap((/** @type {any} */ item) => item.messageList.map((/** @type {any} */ message) => message.payload.text)));
    cursor = answer.cursor;
  } while (cursor);
  assert.deepEqual(texts, [6, 5, 4, 3, 2, 1, 0].map((number) => `page ${number}`));
});

test('what is recalled or deleted is not found any more', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const recalled = await alice.sendText(bob, 'secret one');
  const deleted = await alice.sendText(bob, 'secret two');
  await bob.waitForText('secret two');
  assert.equal((await found(bob, alice, { keywordList: ['secret'] })).length, 2);
  await alice.call('revokeMessage', recalled);
  await alice.call('deleteMessage', [deleted]);
  assert.deepEqual(await found(bob, alice, { keywordList: ['secret'] }), ['secret two']);
  assert.deepEqual(await found(alice, bob, { keywordList: ['secret'] }), []);
});

test('a search of every conversation counts what it found in each', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await alice.sendText(carol, '一只猫');
  await alice.sendText(bob, '两只猫');
  await bob.sendText(alice, '三只猫');
  const answer = await alice.call('searchCloudMessages', { keywordList: ['猫'] });
  assert.equal(answer.totalCount, 2);
  const items = answer.searchResultList.map((/** @type {any} */ item) => [item.conversationID, item.messageCount]);
  assert.deepEqual(items, [[`C2C${bob.user}`, 2], [`C2C${carol.user}`, 1]]);
  assert.deepEqual(answer.searchResultList[1].messageList.map((/** @type {any} */ message) => message.payload.text), ['一只猫']);
});

test('people are found by nickname and name, but not by those whom they blocked', async () => {
  const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
  await bob.call('updateMyProfile', { nick: '小明 Bobby' });
  await carol.call('updateMyProfile', { nick: '小明 Carol' });
  await carol.call('addToBlacklist', { userIDList: [alice.user] });
  const names = async (/** @type {any} */ client, /** @type {object} */ options) => {
    const answer = await client.call('searchCloudUsers', options);
    return answer.searchResultList.map((/** @type {any} */ user) => user.userID).sort();
  };
  assert.deepEqual(await names(alice, { keywordList: ['小明'] }), [bob.user]);
  assert.deepEqual(await names(bob, { keywordList: ['小明'] }), [bob.user, carol.user]);
  assert.deepEqual(await names(alice, { keywordList: [bob.user] }), [bob.user]);
  assert.deepEqual(await names(alice, { keywordList: ['小明', 'carol'], keywordListMatchType: 'and' }), []);
  const [found] = (await alice.call('searchCloudUsers', { keywordList: ['bobby'] })).searchResultList;
  assert.equal(found.nick, '小明 Bobby');
});

test('of groups nothing is found', async () => {
  const [alice] = await world.people('alice');
  for (const method of ['searchCloudGroups', 'searchCloudGroupMembers']) {
    assert.deepEqual((await alice.call(method, { keywordList: ['team'] })).searchResultList, []);
  }
});

test('an app without search says so', async () => {
  const [alice] = await world.people('alice');
  await world.app.set({ cloud_search: false });
  try {
    await assert.rejects(alice.call('searchCloudMessages', { keywordList: ['x'] }), { code: NOT_THERE });
    await assert.rejects(alice.call('searchCloudUsers', { keywordList: ['x'] }), { code: NOT_THERE });
  } finally {
    await world.app.set({ cloud_search: true });
  }
});
