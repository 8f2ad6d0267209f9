import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBoth, useBrowser } from '../harness/browser.js';
import { Stage } from '../harness/stage.js';

const RECOVERY_MS_MAX = 60_000;
const open = useBrowser();

test('after the server was killed and started again the page recovers by itself', async (t) => {
  const stage = await Stage.open();
  t.after(() => stage.close());
  const { profile, failures } = await open(t);
  const { alice, bob } = await openBoth(profile, stage.address);
  await Promise.all([alice.is(['connected']), bob.is(['connected'])]);
  await alice.say('Said before the fall.');
  await bob.has('Said before the fall.', { flow: 'in' });
  await alice.has('Said before the fall.', { flow: 'out', state: 'read' });

  await stage.server.kill();
  await Promise.all([alice.is(['disconnected', 'connecting']), bob.is(['disconnected', 'connecting'])]);
  await stage.server.start();
  await Promise.all([alice.is(['connected'], RECOVERY_MS_MAX), bob.is(['connected'], RECOVERY_MS_MAX)]);

  await alice.say('Said after it.');
  await bob.has('Said after it.', { flow: 'in', timeout: RECOVERY_MS_MAX });
  await bob.say('Heard.');
  await alice.has('Heard.', { flow: 'in', timeout: RECOVERY_MS_MAX });
  assert.deepEqual(await alice.texts(), ['Said before the fall.', 'Said after it.', 'Heard.']);
  assert.deepEqual(await bob.ids(), await alice.ids());
  assert.deepEqual(failures, []);
});
