/** The generation before the SDK and the three builds of the lite package, each with the SDK at the other side. */

import assert from 'node:assert/strict';
import { ERROR_TEXTS, LITE, OLDER } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

/** By name: the version, and whether it has more than messages and profiles. */
const PACKAGES = {
  [OLDER]: { version: '2.27.6', conversations: true },
  [LITE.basic]: { version: '1.6.13', conversations: false },
  [LITE.standard]: { version: '1.6.13', conversations: true },
  [LITE.professional]: { version: '1.6.13', conversations: true },
};

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** New people: the first with the package, the second with the SDK. @param {string} name @returns {Promise<[Client, Client]>} */
async function mixed(name) {
  const [alice, bob] = world.names('alice', 'bob');
  return Promise.all([world.login(alice, { package: name }), world.login(bob)]);
}

/** @param {any} received @param {any} sent */
function assertSame(received, sent) {
  for (const field of ['ID', 'time', 'sequence', 'random', 'from', 'to', 'type', 'payload', 'cloudCustomData']) {
    assert.deepEqual(received[field], sent[field], field);
  }
}

/**
 * All that an instance tried to reach elsewhere: of the lite package its sockets, which were redirected, and the texts
 * of errors, which were refused; of the older one nothing.
 * @param {Client} client
 */
function assertStayed(client) {
  const { attempts } = client;
  if (client.package === OLDER) return assert.deepEqual(attempts, []);
  const sockets = attempts.filter((attempt) => attempt.redirected);
  assert.deepEqual(sockets[0], { by: 'WebSocket', to: `wss://${world.app.sdkAppId}w4c.my-imcloud.com/binfo`, redirected: true });
  assert.deepEqual(attempts.filter((attempt) => !attempt.redirected), [{ by: 'XMLHttpRequest', to: ERROR_TEXTS }]);
}

/** @param {any[]} messages */
function textsOf(messages) {
  return messages.map((message) => message.payload.text);
}

for (const [name, { version, conversations }] of Object.entries(PACKAGES)) {
  test(`${name}: the package is the one that was asked for`, async () => {
    const client = await world.instance(world.names('alice')[0], { package: name });
    assert.equal(client.version, version);
  });

  test(`${name}: what one writes the other reads, both ways, and nothing leaves the machine`, async () => {
    const [alice, bob] = await mixed(name);
    const sent = await alice.sendText(bob, 'hello bob', { message: { cloudCustomData: '{"n":1}' } });
    assert.equal(sent.status, 'success');
    assertSame(await bob.waitForText('hello bob'), sent);
    const answer = await bob.send('createCustomMessage', alice, { data: 'order', description: 'seven', extension: 'x' });
    const received = await alice.waitFor('onMessageReceived', (message) => message.payload?.data === 'order');
    assertSame(received, answer);
    assert.equal(received.flow, 'in');
    assert.equal(received.conversationID, bob.conversation);
    assertStayed(alice);
  });

  test(`${name}: both sides and a new instance read the same history`, async () => {
    const [alice, bob] = await mixed(name);
    const texts = Array.from({ length: 20 }, (_, index) => `number ${index}`);
    for (const [index, text] of texts.entries()) {
      if (index % 2 === 0) await alice.sendText(bob, text);
      else await bob.sendText(alice, text);
    }
    await alice.waitForText('number 19');
    const readers = await Promise.all([world.login(alice, { package: name }), world.login(alice)]);
    for (const reader of readers) assert.deepEqual(textsOf(await reader.history(bob)), texts);
    assert.deepEqual(textsOf(await (await world.login(bob, { package: name })).history(alice)), texts);
  });

  test(`${name}: two people who both use it write to each other`, async () => {
    const [alice, bob] = await Promise.all(world.names('alice', 'bob').map((user) => world.login(user, { package: name })));
    const sent = await alice.sendText(bob, 'the same on both sides');
    assertSame(await bob.waitForText('the same on both sides'), sent);
    await bob.sendText(alice, 'and back');
    await alice.waitForText('and back');
  });

  test(`${name}: what one instance sends shows at the other, whichever package it is`, async () => {
    const [alice, bob] = await mixed(name);
    const second = await world.login(alice);
    await alice.sendText(bob, 'from the first');
    assert.equal((await second.waitForText('from the first')).flow, 'out');
    await second.sendText(bob, 'from the second');
    assert.equal((await alice.waitForText('from the second')).flow, 'out');
  });

  test(`${name}: what comes while nobody is there is read at the next login`, async () => {
    const [alice, bob] = await mixed(name);
    await alice.call('logout');
    await alice.close();
    await bob.sendText(alice, 'while you were away');
    const back = await world.login(alice, { package: name });
    assert.deepEqual(textsOf(await back.history(bob)), ['while you were away']);
  });

  test(`${name}: the profile of a peer is read, and comes with messages`, async () => {
    const [alice, bob] = await mixed(name);
    await bob.call('updateMyProfile', { nick: 'Robert', selfSignature: 'at sea' });
    const [profile] = await alice.call('getUserProfile', { userIDList: [bob.user] });
    assert.deepEqual([profile.userID, profile.nick, profile.selfSignature], [bob.user, 'Robert', 'at sea']);
    await bob.sendText(alice, 'with a name');
    assert.equal((await alice.waitForText('with a name')).nick, 'Robert');
  });

  test(`${name}: a login with somebody else's signature is refused`, async () => {
    const [alice, bob] = world.names('alice', 'bob');
    const client = await world.instance(alice, { package: name });
    await assert.rejects(client.login(world.app.sign(bob)), { code: 70013 });
  });

  test(`${name}: an instance comes back after a restart of the server`, async () => {
    const [alice, bob] = await mixed(name);
    // The lite package tells of what it missed only in conversations that it knows, which the basic build never does.
    await bob.sendText(alice, 'see you');
    await alice.waitForText('see you');
    await world.server.stop();
    await world.server.start();
    await bob.sendText(alice, 'welcome back');
    if (conversations) await alice.waitForText('welcome back');
    await alice.sendText(bob, 'here I am');
    await bob.waitForText('here I am');
    await bob.sendText(alice, 'good');
    await alice.waitForText('good');
    assert.ok(textsOf(await alice.history(bob)).includes('welcome back'));
    assertStayed(alice);
  });

  if (!conversations) continue;

  test(`${name}: a message that is recalled here is recalled there`, async () => {
    const [alice, bob] = await mixed(name);
    const sent = await alice.sendText(bob, 'rash');
    await bob.waitForText('rash');
    await alice.call('revokeMessage', sent);
    assert.equal((await bob.waitFor('onMessageRevoked', (message) => message.ID === sent.ID)).revoker, alice.user);
    const [stored] = await (await world.login(alice, { package: name })).history(bob);
    assert.deepEqual([stored.ID, stored.isRevoked], [sent.ID, true]);
  });

  test(`${name}: a message that is recalled there is recalled here`, async () => {
    const [alice, bob] = await mixed(name);
    const sent = await bob.sendText(alice, 'rash');
    await alice.waitForText('rash');
    await bob.call('revokeMessage', sent);
    assert.equal((await alice.waitFor('onMessageRevoked', (message) => message.ID === sent.ID)).isRevoked, true);
    await alice.conversationWhere(bob, (conversation) => conversation?.lastMessage.isRevoked === true);
  });

  test(`${name}: unread messages are counted until they are read, and the sender learns of it`, async () => {
    const [alice, bob] = await mixed(name);
    await bob.sendText(alice, 'one');
    await bob.sendText(alice, 'two');
    await alice.conversationWhere(bob, (conversation) => conversation?.unreadCount === 2);
    const later = await world.login(alice, { package: name });
    await later.conversationWhere(bob, (conversation) => conversation?.unreadCount === 2 && conversation.lastMessage.payload.text === 'two');
    assert.equal(await later.call('getTotalUnreadMessageCount'), 2);
    await later.call('setMessageRead', { conversationID: bob.conversation });
    await bob.waitFor('onMessageReadByPeer', (message) => message.payload.text === 'two');
    await later.conversationWhere(bob, (conversation) => conversation?.unreadCount === 0);
    await alice.conversationWhere(bob, (conversation) => conversation?.unreadCount === 0);
    await alice.sendText(bob, 'read me');
    await bob.call('setMessageRead', { conversationID: alice.conversation });
    await alice.waitFor('onMessageReadByPeer', (message) => message.payload.text === 'read me');
  });

  test(`${name}: conversations are listed, pinned and deleted`, async () => {
    const [alice, bob] = await mixed(name);
    const second = await world.login(alice);
    await bob.sendText(alice, 'list me');
    await alice.waitFor('onConversationListUpdated', (conversation) => conversation.conversationID === bob.conversation);
    await alice.call('pinConversation', { conversationID: bob.conversation, isPinned: true });
    await second.conversationWhere(bob, (conversation) => conversation?.isPinned === true);
    await alice.call('pinConversation', { conversationID: bob.conversation, isPinned: false });
    await second.conversationWhere(bob, (conversation) => conversation?.isPinned === false);
    await alice.call('deleteConversation', bob.conversation);
    await alice.conversationWhere(bob, (conversation) => conversation === undefined);
    await second.conversationWhere(bob, (conversation) => conversation === undefined);
  });
}
