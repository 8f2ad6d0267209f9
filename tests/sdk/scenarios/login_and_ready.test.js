/** Logging in, and the start-up sequence of the full build. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const START_UP = [
  'im_open_status.wslogin',
  'heartbeat.alive',
  'profile.portrait_get_all',
  'sns.black_list_get',
  'recentcontact.page_get',
  'group_open_http_svc.get_joined_group_list',
  'openim.getmsg',
  'sns.friend_get',
  'sns.group_get',
  'sns.pendency_get',
  'im_sdk_config_mgr.fetch_config',
  'recentcontact.get_contact_group',
  'million_group_open_http_svc.get_joined_group_list',
  'im_sdk_config_mgr.fetch_imsdk_purchase_bitsv2',
];

const world = await World.open();

test('a valid signature creates the account and makes the SDK ready', async () => {
  const [name] = world.names('alice');
  const alice = await world.instance(name);
  const answer = await alice.login();
  assert.match(answer.tinyID ?? answer.tinyId, /^[0-9]+$/);
  assert.equal(await alice.call('isReady'), true);
  assert.equal(await alice.call('getLoginUser'), name);
  const check = await world.rest('im_open_login_svc/account_check', { CheckItem: [{ UserID: name }] });
  assert.equal(check.ResultItem[0].AccountStatus, 'Imported');
});

test('the server time is right to the minute', async () => {
  const [alice] = await world.people('alice');
  const milliseconds = await alice.call('getServerTime');
  assert.ok(Math.abs(milliseconds - Date.now()) < 60_000, `server time ${milliseconds}`);
});

test('each of the fourteen start-up commands is answered with success, once, in binary frames', async () => {
  const [name] = world.names('alice');
  const alice = await world.login(name, { tapped: true });
  for (const command of START_UP) {
    const request = await alice.proxy.waitFor(command, ({ from, head }) => from === 'client' && head.servcmd === command);
    const answer = await alice.proxy.waitFor(`an answer to ${command}`, (frame) => frame === alice.proxy.answerTo(request));
    assert.equal(answer.binary, true, command);
    assert.equal(answer.body.ErrorCode ?? 0, 0, `${command}: ${JSON.stringify(answer.body)}`);
  }
  for (const command of START_UP.filter((one) => one !== 'heartbeat.alive')) {
    assert.equal(alice.proxy.requests(command).length, 1, `${command} was asked again`);
  }
});

test('a new account starts with empty lists and default state', async () => {
  const [alice] = await world.people('alice');
  const { conversationList, isSyncCompleted } = await alice.call('getConversationList');
  assert.deepEqual(conversationList, []);
  assert.equal(isSyncCompleted, true);
  assert.deepEqual(await alice.call('getBlacklist'), []);
  assert.deepEqual(await alice.call('getFriendList'), []);
  assert.deepEqual((await alice.call('getGroupList')).groupList, []);
  assert.equal(await alice.call('getTotalUnreadMessageCount'), 0);
});

test('every ability is on at once', async () => {
  const [alice] = await world.people('alice');
  const [bob] = await world.people('bob');
  await alice.sendText(bob, 'so that there is a conversation');
  // Without its bit the SDK refuses this by itself, with 3122.
  const marked = await alice.call('markConversation', { conversationIDList: [bob.conversation], markType: 1, enableMark: true });
  assert.equal(marked.successConversationIDList.length, 1);
});

test('a second login on the same object is recognised as a repetition', async () => {
  const [alice] = await world.people('alice');
  const answer = await alice.call('login', { userID: alice.user, userSig: world.app.sign(alice.user) });
  assert.equal(answer.repeatLogin, true);
});

test('the text variant of the socket serves the same conversation', async () => {
  const [bob] = await world.people('bob');
  const alice = await world.login(world.names('alice')[0], { tapped: true, options: { devMode: true } });
  assert.match(alice.proxy.connections[0], /^\/info\?/);
  await alice.sendText(bob, 'sent as a text frame');
  await bob.waitForText('sent as a text frame');
  await bob.sendText(alice, 'and back');
  await alice.waitForText('and back');
  assert.ok(alice.proxy.frames.every((frame) => !frame.binary));
});
