/** Messages that a back end sends piece by piece. The SDK knows none: its users see the whole when it is there. */

import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** Five pieces a second are taken at most. */
const BETWEEN = 220;

/** @param {any} from @param {any} to */
function stream(from, to) {
  const numbers = { MsgSeq: randomNumber(), MsgRandom: randomNumber(), From_Account: from.user, To_Account: to.user };
  /** @type {string | undefined} */
  let StreamMsgID;
  let Index = 0;
  return async (/** @type {string} */ Markdown, IsLast = false) => {
    if (Index > 0) await pause(BETWEEN);
    Index += 1;
    const content = { CompatibleText: 'is writing', Chunks: [{ EventType: 'data', Index, Markdown, IsLast }], StreamMsgID };
    const MsgBody = [{ MsgType: 'TIMStreamElem', MsgContent: content }];
    const answer = await world.rest('stream_msg/send_c2c_stream_msg', { ...numbers, MsgBody, CloudCustomData: 'data' });
    ({ StreamMsgID } = answer);
    return answer.MsgKey;
  };
}

test('a stream is one message once it has ended, at every instance of both', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(bob);
  const piece = stream(alice, bob);
  const key = await piece('**one** ');
  await piece('two ');
  await bob.sendText(alice, 'meanwhile');
  await alice.waitForText('meanwhile');
  assert.equal(await piece('three', true), key);
  for (const client of [bob, second, alice]) {
    const received = await client.waitForText('**one** two three');
    assert.equal(received.from, alice.user);
    assert.equal(received.flow, client === alice ? 'out' : 'in');
    assert.equal(received.cloudCustomData, 'data');
    assert.equal(client.textsReceived.filter((/** @type {string} */ text) => text.includes('one')).length, 1);
  }
  // It stands where it began, which may be before what was said meanwhile; it is unread all the same.
  const third = await world.login(bob);
  await third.conversationWhere(alice, (one) => one?.unreadCount === 1);
  const texts = (await third.history(alice)).map((message) => message.payload.text);
  assert.deepEqual(texts.toSorted(), ['**one** two three', 'meanwhile']);
});

test('a stream that became a message is recalled and changed like any other', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const piece = stream(alice, bob);
  await piece('to be ');
  const key = await piece('recalled', true);
  const received = await bob.waitForText('to be recalled');
  await world.rest('openim/admin_msgwithdraw', { From_Account: alice.user, To_Account: bob.user, MsgKey: key });
  await bob.conversationWhere(alice, (one) => one?.lastMessage.isRevoked === true);
  const [found] = await (await world.login(bob)).history(alice);
  assert.deepEqual([found.ID, found.isRevoked], [received.ID, true]);
});
