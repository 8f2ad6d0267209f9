/** Keywords that an app refuses or replaces in what its people write. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const REFUSED = 80001;
const PROFILE_REFUSED = 40005;

const world = await World.open();
await world.rest('im_msg_audit/add_local_audit_keywords', {
  SdkAppId: world.app.sdkAppId,
  LocalAuditWords: [
    { Keyword: 'forbidden', WordType: 1, FilterType: 2, ReplacedContent: '' },
    { Keyword: 'darn', WordType: 1, FilterType: 1, ReplacedContent: '****' },
    { Keyword: '敏感词', WordType: 1, FilterType: 1, ReplacedContent: '**' },
    { Keyword: '1\\d{10}', WordType: 2, FilterType: 1, ReplacedContent: '(number)' },
  ],
});

/** @param {any} who @param {any} peer */
async function textsOf(who, peer) {
  return (await (await world.login(who)).history(peer)).map((message) => message.payload.text);
}

test('a refused text is rejected at the sender and goes nowhere', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await assert.rejects(alice.sendText(bob, 'something Forbidden'), { code: REFUSED });
  await alice.sendText(bob, 'marker');
  for (const client of [bob, second]) {
    await client.waitForText('marker');
    assert.deepEqual(client.textsReceived, ['marker']);
  }
  for (const [who, peer] of [[alice, bob], [bob, alice]]) assert.deepEqual(await textsOf(who, peer), ['marker']);
});

test('a replaced text is what the other side and the other instances see', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await alice.sendText(bob, 'Darn, 这是敏感词, call 13800138000');
  const expected = '****, 这是**, call (number)';
  await bob.waitForText(expected);
  assert.equal((await second.waitForText(expected)).flow, 'out');
  for (const [who, peer] of [[alice, bob], [bob, alice]]) assert.deepEqual(await textsOf(who, peer), [expected]);
});

test('what a sender excludes from moderation, and what the back end sends, arrives as it is', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'darn 1', { send: { messageControlInfo: { excludedFromContentModeration: true } } });
  await world.rest('openim/sendmsg', {
    From_Account: alice.user,
    To_Account: bob.user,
    MsgRandom: randomNumber(),
    MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'forbidden 2' } }],
  });
  await bob.waitForText('forbidden 2');
  assert.deepEqual(bob.textsReceived, ['darn 1', 'forbidden 2']);
});

test('a nickname is refused or replaced', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await assert.rejects(alice.call('updateMyProfile', { nick: 'forbidden' }), { code: PROFILE_REFUSED });
  await alice.call('updateMyProfile', { nick: 'Darn Alice' });
  // The instance that asked for it goes on showing what it asked for.
  await second.until('the replaced nick', () => second.call('getMyProfile'), (profile) => profile.nick === '**** Alice');
  const [seen] = await bob.call('getUserProfile', { userIDList: [alice.user] });
  assert.equal(seen.nick, '**** Alice');
});

test('keywords change while people are there', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const words = { LocalAuditWords: [{ Keyword: 'tomorrow', WordType: 1, FilterType: 2, ReplacedContent: '' }] };
  await alice.sendText(bob, 'tomorrow 1');
  await world.rest('im_msg_audit/add_local_audit_keywords', words);
  await assert.rejects(alice.sendText(bob, 'tomorrow 2'), { code: REFUSED });
  await world.rest('im_msg_audit/delete_local_audit_keywords', words);
  await alice.sendText(bob, 'tomorrow 3');
  await bob.waitForText('tomorrow 3');
  assert.deepEqual(bob.textsReceived, ['tomorrow 1', 'tomorrow 3']);
});
