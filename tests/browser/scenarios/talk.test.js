import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBoth, openOne, useBrowser } from '../harness/browser.js';
import { Demo } from '../harness/demo.js';

const open = useBrowser();
/** @type {Demo} */
let demo;
before(async () => { demo = await Demo.start(); });
after(async () => { assert.equal(await demo.stop(), 0, 'the demo stops cleanly'); });

/** @param {import('node:test').TestContext} t */
async function both(t) {
  const { profile, failures } = await open(t);
  const people = await openBoth(profile, demo.address);
  await Promise.all([people.alice.is(['connected']), people.bob.is(['connected'])]);
  return { ...people, profile, failures };
}

test('both people connect and see their opening conversation', async (t) => {
  const { alice, bob, failures } = await both(t);
  const first = 'Morning, Bob! Did you walk along the mudflat today?';
  await alice.has(first, { flow: 'out' });
  await bob.has(first, { flow: 'in' });
  const last = 'Same time. Bring the telescope';
  await alice.has(last, { flow: 'in' });
  await bob.has(last, { flow: 'out' });
  assert.deepEqual(await alice.texts(), await bob.texts());
  assert.deepEqual(failures, []);
});

test('what one types the other sees, and the author sees that it was read', async (t) => {
  const { alice, bob } = await both(t);
  await alice.say('Tide is out at six.');
  await bob.has('Tide is out at six.', { flow: 'in' });
  await alice.has('Tide is out at six.', { flow: 'out', state: 'read' });
  await bob.say('Then I bring boots.');
  await alice.has('Then I bring boots.', { flow: 'in' });
  await bob.has('Then I bring boots.', { flow: 'out', state: 'read' });
  assert.deepEqual(await alice.ids(), await bob.ids());
});

test('a message is delivered, and read only when the other has it in sight', async (t) => {
  const { profile } = await open(t);
  const { person: alice } = await openOne(profile, demo.address, 'alice');
  await alice.is(['connected']);
  await alice.say('Are you still asleep?');
  await alice.has('Are you still asleep?', { flow: 'out', state: 'sent' });
  const { person: bob } = await openOne(profile, demo.address, 'bob');
  await bob.has('Are you still asleep?', { flow: 'in' });
  await alice.has('Are you still asleep?', { flow: 'out', state: 'read' });
});

test('a reload keeps the history, in order and with its states', async (t) => {
  const { page, alice, bob } = await both(t);
  await alice.say('Nothing of this is lost.');
  await bob.has('Nothing of this is lost.');
  await alice.has('Nothing of this is lost.', { state: 'read' });
  const before = await alice.ids();
  await page.reload();
  await Promise.all([alice.is(['connected']), bob.is(['connected'])]);
  await alice.has('Nothing of this is lost.', { flow: 'out', state: 'read' });
  await bob.has('Nothing of this is lost.', { flow: 'in' });
  assert.deepEqual(await alice.ids(), before);
  assert.deepEqual(await bob.ids(), before);
});

test('a recall shows on both sides and survives a reload', async (t) => {
  const { page, alice, bob } = await both(t);
  await alice.say('I should not have said that.');
  await bob.has('I should not have said that.');
  const said = alice.message('I should not have said that.');
  const id = await said.getAttribute('data-message-id') ?? '';
  await said.locator('[data-testid="recall"]').click();
  await Promise.all([alice.messageWith(id, 'recalled').waitFor(), bob.messageWith(id, 'recalled').waitFor()]);
  assert.match(await bob.messageWith(id, 'recalled').innerText(), /Alice recalled this message/);
  await page.reload();
  await Promise.all([alice.messageWith(id, 'recalled').waitFor(), bob.messageWith(id, 'recalled').waitFor()]);
  assert.equal(await bob.message('I should not have said that.').count(), 0);
});

test('HTML in a message stays text', async (t) => {
  const { alice, bob, failures } = await both(t);
  const text = '<img src=x onerror="alert(1)"><b>bold</b><script>alert(2)</script> & &amp;';
  await alice.say(text);
  await bob.has(text, { flow: 'in' });
  await alice.has(text, { flow: 'out', state: 'read' });
  for (const person of [alice, bob]) {
    assert.equal(await person.message(text).locator('img, b, script').count(), 0, person.name);
    assert.ok((await person.texts()).includes(text));
  }
  assert.deepEqual(failures, []);
});
