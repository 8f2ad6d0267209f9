/** Global mute: what a client is told that may not write. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const MUTED = 20012;

const world = await World.open();

test('who is muted cannot write, and can again when it is over', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  await alice.sendText(bob, 'before');
  await world.rest('openconfigsvr/setnospeaking', { Set_Account: alice.user, C2CmsgNospeakingTime: 4294967295 });
  await assert.rejects(alice.sendText(bob, 'muted'), { code: MUTED });
  await bob.sendText(alice, 'I can write to you');
  await alice.waitForText('I can write to you');
  await world.rest('openconfigsvr/setnospeaking', { Set_Account: alice.user, C2CmsgNospeakingTime: 0 });
  await alice.sendText(bob, 'after');
  await bob.waitForText('after');
  assert.deepEqual(bob.textsReceived, ['before', 'after']);
});
