/** The build for bundlers, with and without optional modules. */

import assert from 'node:assert/strict';
import { MODULAR, MODULES } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

for (const [title, modules] of Object.entries({ 'the bare core': [], 'the core with all modules': MODULES })) {
  test(`${title} logs in, sends and receives`, async () => {
    const [bob] = await world.people('bob');
    const alice = await world.login(world.names('alice')[0], { package: MODULAR, modules });
    await alice.sendText(bob, 'hello bob');
    await bob.waitForText('hello bob');
    await bob.sendText(alice, 'hello alice');
    await alice.waitForText('hello alice');
    assert.deepEqual((await alice.history(bob)).map((message) => message.payload.text).toSorted(), ['hello alice', 'hello bob']);
  });
}
