/** When an account does not want to be disturbed by any message. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const UPDATED = 'onAllReceiveMessageOptUpdated';
const NIGHT = { messageRemindType: 'AcceptNotNotify', startHour: 22, startMinute: 0, startSecond: 0, duration: 8 * 3600, isRepeated: true };

const world = await World.open();

test('it is off until somebody sets it', async () => {
  const [alice] = await world.people('alice');
  const found = await alice.call('getAllReceiveMessageOpt');
  assert.deepEqual(found, { messageRemindType: 'AcceptAndNotify', startTime: 0, endTime: 0, isRepeated: false });
});

test('what one instance sets shows at the other and at the next login', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const second = await world.login(alice);
  await alice.call('setAllReceiveMessageOpt', NIGHT);
  const told = await second.waitFor(UPDATED, (one) => one.messageRemindType === 'AcceptNotNotify');
  assert.equal(told.isRepeated, true);
  assert.equal(told.endTime - told.startTime, NIGHT.duration);
  for (const instance of [alice, second, await world.login(alice)]) {
    assert.deepEqual(await instance.call('getAllReceiveMessageOpt'), told);
  }
  assert.deepEqual(bob.seen(UPDATED), []);
  assert.deepEqual(alice.seen(UPDATED), [], 'who sets it knows');
});

test('it ends where it is set to notify again', async () => {
  const [alice] = await world.people('alice');
  const second = await world.login(alice);
  await alice.call('setAllReceiveMessageOpt', NIGHT);
  await second.waitFor(UPDATED, (one) => one.messageRemindType === 'AcceptNotNotify');
  await second.call('setAllReceiveMessageOpt', { messageRemindType: 'AcceptAndNotify' });
  await alice.waitFor(UPDATED, (one) => one.messageRemindType === 'AcceptAndNotify');
  const found = await (await world.login(alice)).call('getAllReceiveMessageOpt');
  assert.equal(found.messageRemindType, 'AcceptAndNotify');
});

test('messages arrive all the same', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.call('setAllReceiveMessageOpt', { ...NIGHT, messageRemindType: 'Discard', duration: 86_400 });
  await bob.sendText(alice, 'quietly');
  await alice.waitForText('quietly');
});
