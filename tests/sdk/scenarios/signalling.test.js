/** Invitations: every step is a message that both SDKs understand. */

import assert from 'node:assert/strict';
import { randomNumber } from '../harness/app.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const NO_SUCH_INVITATION = 8010;
const NOT_TO_BE_CANCELLED = 8020;
const INVITED = 'newInvitationReceived';
const ACCEPTED = 'ts_invitee_accepted';
const REJECTED = 'ts_invitee_rejected';
const CANCELLED = 'ts_invitation_cancelled';
const TIMED_OUT = 'ts_invitation_timeout';
const MODIFIED = 'ts_invitation_modified';

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** Resolves with the id of an invitation and its message. @param {Client} from @param {Client} to @param {object} [more] */
async function invite(from, to, more) {
  const { message } = await from.call('invite', { userID: to.user, data: 'call me', timeout: 30, ...more });
  const { inviteID } = await from.call('getSignalingInfo', message);
  return { inviteID, message };
}

/** Bob, at two instances, has an invitation of alice. */
async function invited() {
  const [alice, bob] = await world.people('alice', 'bob');
  const other = await world.login(bob);
  const { inviteID, message } = await invite(alice, bob);
  for (const instance of [bob, other]) await instance.waitFor(INVITED, (one) => one.inviteID === inviteID);
  return { alice, bob, other, inviteID, message };
}

test('an invitation reaches every instance, as an event and as a message that says what it is', async () => {
  const { alice, bob, other, inviteID, message } = await invited();
  for (const instance of [bob, other]) {
    const invitation = await instance.waitFor(INVITED);
    assert.deepEqual([invitation.inviter, invitation.inviteeList, invitation.groupID, invitation.data], [alice.user, [bob.user], '', 'call me']);
    const received = await instance.waitFor('onMessageReceived', (one) => one.ID === message.ID);
    const info = await instance.call('getSignalingInfo', received);
    assert.deepEqual([info.inviteID, info.inviter, info.data, info.actionType, info.timeout], [inviteID, alice.user, 'call me', 1, 30]);
  }
  await bob.sendText(alice, 'marker');
  const marker = await alice.waitForText('marker');
  assert.equal(await alice.call('getSignalingInfo', marker), null, 'a text is no invitation');
});

test('an invitation that was made with functions for its outcome is one as well', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const { inviteID } = await alice.callBack('inviteSync', { userID: bob.user, data: 'in a hurry', timeout: 30 });
  const invitation = await bob.waitFor(INVITED, (one) => one.inviteID === inviteID);
  assert.equal(invitation.data, 'in a hurry');
});

test('who accepts tells the inviter', async () => {
  const { alice, bob, inviteID } = await invited();
  await bob.call('accept', { inviteID, data: 'here I am' });
  const accepted = await alice.waitFor(ACCEPTED, (one) => one.inviteID === inviteID);
  assert.deepEqual([accepted.invitee, accepted.data], [bob.user, 'here I am']);
  await assert.rejects(bob.call('accept', { inviteID }), { code: NO_SUCH_INVITATION });
});

test('who rejects tells the inviter', async () => {
  const { alice, bob, inviteID } = await invited();
  await bob.call('reject', { inviteID, data: 'busy' });
  const rejected = await alice.waitFor(REJECTED, (one) => one.inviteID === inviteID);
  assert.deepEqual([rejected.invitee, rejected.data], [bob.user, 'busy']);
});

test('who cancels tells who was invited', async () => {
  const { alice, bob, other, inviteID } = await invited();
  await alice.call('cancel', { inviteID, data: 'never mind' });
  for (const instance of [bob, other]) {
    const cancelled = await instance.waitFor(CANCELLED, (one) => one.inviteID === inviteID);
    assert.deepEqual([cancelled.inviter, cancelled.data], [alice.user, 'never mind']);
  }
  await assert.rejects(alice.call('cancel', { inviteID }), { code: NOT_TO_BE_CANCELLED });
});

test('an invitation that nobody answers ends at both sides', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const { inviteID } = await invite(alice, bob, { timeout: 2 });
  for (const instance of [alice, bob]) {
    const ended = await instance.waitFor(TIMED_OUT, (one) => one.inviteID === inviteID);
    assert.equal(ended.inviter, alice.user);
  }
});

test('who logs in while an invitation is open is invited', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.close();
  const { inviteID } = await invite(alice, bob);
  const back = await world.login(bob);
  const invitation = await back.waitFor(INVITED, (one) => one.inviteID === inviteID);
  assert.equal(invitation.data, 'call me');
  await back.call('accept', { inviteID, data: 'late' });
  await alice.waitFor(ACCEPTED, (one) => one.inviteID === inviteID);
});

test('an invitation for who is there now leaves no message behind', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const { inviteID } = await invite(alice, bob, { onlineUserOnly: true });
  await bob.waitFor(INVITED, (one) => one.inviteID === inviteID);
  await bob.call('reject', { inviteID, data: 'busy' });
  await alice.waitFor(REJECTED, (one) => one.inviteID === inviteID);
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  const stored = (await (await world.login(bob)).history(alice)).map((message) => message.payload);
  assert.equal(stored.filter((payload) => payload.data?.includes('"actionType":1')).length, 0);
});

test('the back end invites with a message', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const inviteID = `by-the-back-end-${bob.user}`;
  const Data = JSON.stringify({ businessID: 1, inviteID, inviter: alice.user, inviteeList: [bob.user], groupID: '', data: 'from the desk', timeout: 30, actionType: 1 });
  await world.rest('openim/sendmsg', {
    From_Account: alice.user,
    To_Account: bob.user,
    MsgRandom: randomNumber(),
    MsgBody: [{ MsgType: 'TIMCustomElem', MsgContent: { Data, Desc: '', Ext: '' } }],
  });
  const invitation = await bob.waitFor(INVITED, (one) => one.inviteID === inviteID);
  assert.deepEqual([invitation.inviter, invitation.data], [alice.user, 'from the desk']);
});

test('who does not listen any more hears of no invitation', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await bob.stopListening(INVITED, 'removeSignalingListener');
  const { message } = await invite(alice, bob);
  await bob.waitFor('onMessageReceived', (one) => one.ID === message.ID);
  await alice.sendText(bob, 'marker');
  await bob.waitForText('marker');
  assert.deepEqual(bob.seen(INVITED), []);
});

test('nobody answers an invitation that there is not', async () => {
  const [alice] = await world.people('alice');
  for (const method of ['accept', 'reject']) {
    await assert.rejects(alice.call(method, { inviteID: 'nothing' }), { code: NO_SUCH_INVITATION });
  }
});
