import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PHONE, openBoth, openOne, useBrowser } from '../harness/browser.js';
import { Demo } from '../harness/demo.js';

const open = useBrowser();
/** @type {Demo} */
let demo;
before(async () => { demo = await Demo.start(); });
after(async () => { assert.equal(await demo.stop(), 0, 'the demo stops cleanly'); });

test('on a phone the people are tabs, and what is not in sight counts as unread', async (t) => {
  const { profile } = await open(t, PHONE);
  const { page, alice, bob } = await openBoth(profile, demo.address);
  const tab = page.locator('[data-tab="bob"]');
  const frame = (/** @type {string} */ name) => page.locator(`iframe[data-person="${name}"]`);
  const shown = async () => [await frame('alice').isVisible(), await frame('bob').isVisible()];
  await Promise.all([alice.is(['connected']), bob.is(['connected'])]);
  assert.deepEqual(await shown(), [true, false]);
  // What was said before anybody opened the page is unread until the tab is opened once.
  await tab.click();
  await bob.part('unread').and(page.frameLocator('iframe[data-person="bob"]').locator('[data-count="0"]'))
    .waitFor({ state: 'attached' });
  await page.locator('[data-tab="alice"]').click();

  await alice.say('Look at your phone.');
  await tab.getByText('1 unread').waitFor();
  await alice.has('Look at your phone.', { flow: 'out', state: 'sent' });

  await tab.click();
  await bob.message('Look at your phone.', { flow: 'in' }).waitFor();
  assert.deepEqual(await shown(), [false, true]);
  await alice.has('Look at your phone.', { flow: 'out', state: 'read' });
  await tab.getByText('unread').waitFor({ state: 'hidden' });

  const outer = await page.evaluate(() => document.documentElement.scrollWidth);
  const inner = await bob.part('messages').evaluate((list) => list.ownerDocument.documentElement.scrollWidth);
  assert.ok(outer <= PHONE.width && inner <= PHONE.width, `nothing is cut off: ${outer}, ${inner}`);
  const box = await bob.part('composer').boundingBox();
  assert.ok(box && box.y + box.height <= PHONE.height, 'the composer is in sight');
});

test('a person has a page of their own, and a second tab follows the first', async (t) => {
  const { profile } = await open(t);
  const first = (await openOne(profile, demo.address, 'alice')).person;
  const second = (await openOne(profile, demo.address, 'alice')).person;
  const bob = (await openOne(profile, demo.address, 'bob')).person;
  const all = [first, second, bob];
  await Promise.all(all.map((person) => person.is(['connected'])));

  await first.say('Said in the first tab.');
  await second.has('Said in the first tab.', { flow: 'out' });
  await bob.has('Said in the first tab.', { flow: 'in' });
  await bob.say('Answered to both.');
  await first.has('Answered to both.', { flow: 'in' });
  await second.has('Answered to both.', { flow: 'in' });

  await second.say('Said in the second tab.');
  await first.has('Said in the second tab.', { flow: 'out' });
  const said = second.message('Said in the second tab.');
  const id = await said.getAttribute('data-message-id') ?? '';
  await said.locator('[data-testid="recall"]').click();
  await Promise.all(all.map((person) => person.messageWith(id, 'recalled').waitFor()));
  assert.deepEqual(await first.ids(), await second.ids());
  await first.is(['connected']);
});
