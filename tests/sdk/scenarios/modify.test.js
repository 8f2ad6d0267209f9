/** Changing a message after it was sent. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const MODIFIED = 'onMessageModified';
const SOMEBODY_WAS_FASTER = 2480;
const GONE = 20026;

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** The message as this client holds it. @param {Client} client @param {any} message */
const held = (client, message) => client.call('findMessage', message.ID);

/** Alice has sent a text to bob, who is there twice. */
async function sent() {
  const [alice, bob] = await world.people('alice', 'bob');
  const other = await world.login(bob);
  const message = await alice.sendText(bob, 'before', { message: { cloudCustomData: 'own' } });
  for (const instance of [bob, other]) await instance.waitForText('before');
  return { alice, bob, other, message };
}

test('both sides show what the sender put in its place', async () => {
  const { alice, bob, other, message } = await sent();
  const second = await world.login(alice);
  await second.history(bob);
  const answer = await alice.call('modifyMessage', { ...message, $change: { payload: { text: 'after' } } });
  assert.equal(answer.message.payload.text, 'after');
  for (const instance of [bob, other, second]) {
    const told = await instance.waitFor(MODIFIED, (one) => one.ID === message.ID);
    assert.deepEqual([told.payload.text, told.cloudCustomData, told.isModified], ['after', 'own', true]);
    assert.equal((await held(instance, message)).payload.text, 'after');
  }
  await bob.conversationWhere(alice, (one) => one?.lastMessage.messageForShow === 'after' && one.unreadCount === 1);
  assert.deepEqual(bob.textsReceived, ['before'], 'it is no new message');
});

test('the receiver may change it as well, and both sides in turn', async () => {
  const { alice, bob, message } = await sent();
  const received = await held(bob, message);
  await bob.call('modifyMessage', { ...received, $change: { payload: { text: 'of bob' } } });
  const told = await alice.waitFor(MODIFIED, (one) => one.payload.text === 'of bob');
  await alice.call('modifyMessage', { ...told, $change: { payload: { text: 'of alice' } } });
  await bob.waitFor(MODIFIED, (one) => one.payload.text === 'of alice');
  for (const [name, peer] of [[alice, bob], [bob, alice]]) {
    const [found] = await (await world.login(name)).history(peer);
    assert.deepEqual([found.ID, found.payload.text, found.isModified], [message.ID, 'of alice', true]);
  }
});

test('own data and custom elements are changed like a text', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const message = await alice.send('createCustomMessage', bob, { data: '1', description: 'd', extension: 'e' });
  await bob.waitFor('onMessageReceived', (one) => one.ID === message.ID);
  await alice.call('modifyMessage', { ...message, $change: { cloudCustomData: 'new', payload: { data: '2', description: 'd', extension: 'e' } } });
  const told = await bob.waitFor(MODIFIED, (one) => one.ID === message.ID);
  assert.deepEqual([told.payload.data, told.cloudCustomData], ['2', 'new']);
});

test('who changes an older version gets what is there, and nothing changes', async () => {
  const { alice, bob, message } = await sent();
  // A push that is lost, so that this instance does not know yet what alice did.
  const late = await world.login(bob, { tapped: true });
  await late.history(alice);
  const find = late.proxy.lose(({ from, body }) => from === 'server' && JSON.stringify(body).includes('C2cMsgModNotifys'));
  await alice.call('modifyMessage', { ...message, $change: { payload: { text: 'first' } } });
  await bob.waitFor(MODIFIED, (one) => one.payload.text === 'first');
  const attempt = late.call('modifyMessage', { ...(await held(late, message)), $change: { payload: { text: 'late' } } });
  await assert.rejects(attempt, { code: SOMEBODY_WAS_FASTER });
  find();
  assert.equal((await held(late, message)).payload.text, 'first');
  const [found] = await (await world.login(alice)).history(bob);
  assert.equal(found.payload.text, 'first');
});

test('the back end changes a message by its key', async () => {
  const { alice, bob, message } = await sent();
  const MsgKey = `${message.sequence}_${message.random}_${message.time}`;
  const MsgBody = [{ MsgType: 'TIMTextElem', MsgContent: { Text: 'by the house' } }];
  const change = { From_Account: alice.user, To_Account: bob.user, MsgKey, MsgBody };
  await world.rest('openim/modify_c2c_msg', change);
  for (const client of [alice, bob]) await client.waitFor(MODIFIED, (one) => one.payload.text === 'by the house');
  await alice.call('revokeMessage', await held(alice, message));
  await assert.rejects(world.rest('openim/modify_c2c_msg', change), { code: GONE });
});

test('what was changed while somebody was cut off is shown after the reconnect', async () => {
  const [alice] = await world.people('alice');
  const bob = await world.login(world.names('bob')[0], { tapped: true });
  const message = await alice.sendText(bob, 'before');
  await bob.waitForText('before');
  bob.proxy.pause();
  await alice.call('modifyMessage', { ...message, $change: { payload: { text: 'after' } } });
  bob.proxy.resume();
  await bob.waitFor(MODIFIED, (one) => one.ID === message.ID && one.payload.text === 'after');
});

test('an invitation is changed like a message', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const { message } = await alice.call('invite', { userID: bob.user, data: 'call me', timeout: 30 });
  const { inviteID } = await alice.call('getSignalingInfo', message);
  await bob.waitFor('newInvitationReceived', (one) => one.inviteID === inviteID);
  await alice.call('modifyInvitation', { inviteID, data: 'call me later' });
  const changed = await bob.waitFor('ts_invitation_modified', (one) => one.inviteID === inviteID);
  assert.equal(changed.data, 'call me later');
  await bob.call('accept', { inviteID, data: 'yes' });
  await alice.waitFor('ts_invitee_accepted', (one) => one.inviteID === inviteID);
});
