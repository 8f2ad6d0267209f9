/** Robots: accounts for which the app's back end speaks. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { nowSeconds } from '../harness/clock.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const ROBOT = '@RBT#helper';
const UNKNOWN = 20003;

const world = await World.open();
const avatar = 'https://files.example.com/robot.png';
await world.rest('openim_robot_http_svc/create_robot', { UserID: ROBOT, Nick: 'Helper', FaceUrl: avatar, SelfSignature: 'I help' });

/** @param {import('../harness/client.js').Client} to @param {string} text */
function answer(to, text) {
  return world.rest('openim/sendmsg', {
    SyncOtherMachine: 2,
    From_Account: ROBOT,
    To_Account: to.user,
    MsgRandom: randomNumber(),
    MsgBody: [{ MsgType: 'TIMTextElem', MsgContent: { Text: text } }],
  });
}

test('somebody talks with a robot, whose answers are sent by the back end', async () => {
  const [alice] = await world.people('alice');
  const second = await world.login(alice);
  await alice.sendText(ROBOT, 'what time is it?');
  await second.waitForText('what time is it?');
  const { MsgList } = await world.rest('openim/admin_getroammsg', {
    Operator_Account: ROBOT,
    Peer_Account: alice.user,
    MaxCnt: 10,
    MinTime: 0,
    MaxTime: nowSeconds() + 60,
  });
  assert.deepEqual(MsgList.map((/** @type {any} */ one) => one.MsgBody[0].MsgContent.Text), ['what time is it?']);
  await answer(alice, 'half past nine');
  for (const client of [alice, second]) {
    const received = await client.waitForText('half past nine');
    assert.equal(received.from, ROBOT);
    assert.equal(received.nick, 'Helper');
    assert.equal(received.avatar, avatar);
    await client.conversationWhere(ROBOT, (one) => one?.lastMessage.fromAccount === ROBOT);
  }
  const history = await (await world.login(alice)).history(ROBOT);
  assert.deepEqual(history.map((message) => message.payload.text), ['what time is it?', 'half past nine']);
});

test('a robot has a profile as anybody', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  for (const client of [alice, bob]) {
    const [profile] = await client.call('getUserProfile', { userIDList: [ROBOT] });
    assert.equal(profile.userID, ROBOT);
    assert.equal(profile.nick, 'Helper');
    assert.equal(profile.selfSignature, 'I help');
  }
});

test('a deleted robot is gone', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const user = '@RBT#short';
  await world.rest('openim_robot_http_svc/create_robot', { UserID: user });
  assert.deepEqual((await world.rest('openim_robot_http_svc/get_all_robots', {})).Robot_Account, [ROBOT, user]);
  for (const client of [alice, bob]) await client.sendText(user, 'hello');
  await world.rest('openim_robot_http_svc/delete_robot', { Robot_Account: user });
  for (const client of [alice, bob]) await assert.rejects(client.sendText(user, 'are you there?'), { code: UNKNOWN });
  assert.deepEqual((await world.rest('openim_robot_http_svc/get_all_robots', {})).Robot_Account, [ROBOT]);
});
