/** The engine under the user interface kits of generation 2: services that act, and states that are watched. */

import assert from 'node:assert/strict';
import { ENGINE } from '../harness/packages.js';
import { test } from '../harness/test.js';
import { World } from '../harness/world.js';

const world = await World.open();

/** @typedef {import('../harness/client.js').Client} Client */

/** Logs in as an application does, with what the SDK's `create` takes among the parameters. @param {string | Client} user */
async function signIn(user) {
  const client = await world.instance(user, { package: ENGINE });
  await client.call('login', { ...client.options, userID: client.user, userSig: world.app.sign(client.user) });
  return client;
}

/** New people: the first with the engine, the second with the SDK. @returns {Promise<[Client, Client]>} */
async function mixed() {
  const [alice, bob] = world.names('alice', 'bob');
  return Promise.all([signIn(alice), world.login(bob)]);
}

/** @param {Client} from @param {Client} to @param {string} text */
async function write(from, to, text) {
  const { message } = await from.call('TUIChat.sendTextMessage', { to: to.user, conversationType: 'C2C', payload: { text } });
  return message;
}

/** Opens a conversation, as showing it does. @param {Client} client @param {Client} peer */
function show(client, peer) {
  return client.call('TUIConversation.switchConversation', peer.conversation);
}

/** Resolves with a state once it fits. @param {Client} client @param {string} store @param {string} key @param {(value: any) => boolean} fits */
function stateWhere(client, store, key, fits) {
  return client.until(`${store}.${key}`, () => client.call('TUIStore.getData', store, key), fits);
}

/** The messages of the open conversation, once they are these. @param {Client} client @param {string[]} texts */
function shown(client, texts) {
  return stateWhere(client, 'chat', 'messageList', (list) => {
    return JSON.stringify(list.map((/** @type {any} */ message) => message.payload.text)) === JSON.stringify(texts);
  });
}

/** The entry of a peer in the list of conversations, once it fits. @param {Client} client @param {Client} peer @param {(entry: any) => boolean} fits */
function listed(client, peer, fits) {
  return stateWhere(client, 'conversation', 'conversationList', (list) => {
    return fits(list.find((/** @type {any} */ entry) => entry.conversationID === peer.conversation));
  });
}

test('the package is the one that was asked for', async () => {
  assert.equal((await world.instance(world.names('alice')[0], { package: ENGINE })).version, '2.5.8');
});

test('what one writes the other reads, both ways, and nothing leaves the machine', async () => {
  const [alice, bob] = await mixed();
  await show(alice, bob);
  const sent = await write(alice, bob, 'hello bob');
  const received = await bob.waitForText('hello bob');
  for (const field of ['ID', 'time', 'from', 'to']) assert.equal(received[field], sent[field], field);
  await bob.sendText(alice, 'hello alice');
  const told = await alice.waitFor('chat.newMessageList', (message) => message.payload.text === 'hello alice');
  assert.deepEqual([told.from, told.flow, told.conversationID], [bob.user, 'in', bob.conversation]);
  await shown(alice, ['hello bob', 'hello alice']);
  assert.deepEqual(alice.attempts, []);
});

test('two people who both use it write to each other', async () => {
  const [alice, bob] = await Promise.all(world.names('alice', 'bob').map(signIn));
  await show(alice, bob);
  await show(bob, alice);
  await write(alice, bob, 'hello bob');
  await bob.waitFor('chat.newMessageList', (message) => message.payload.text === 'hello bob');
  await write(bob, alice, 'hello alice');
  for (const client of [alice, bob]) await shown(client, ['hello bob', 'hello alice']);
});

test('history is shown page by page, at both sides and at a new instance', async () => {
  const [alice, bob] = await mixed();
  const texts = Array.from({ length: 20 }, (_, index) => `number ${index}`);
  for (const [index, text] of texts.entries()) {
    if (index % 2 === 0) await write(alice, bob, text);
    else await bob.sendText(alice, text);
  }
  const reader = await signIn(alice);
  await show(reader, bob);
  await shown(reader, texts.slice(-15));
  await reader.call('TUIChat.getMessageList');
  await shown(reader, texts);
  assert.equal(await reader.call('TUIStore.getData', 'chat', 'isCompleted'), true);
  assert.deepEqual((await (await world.login(bob)).history(alice)).map((message) => message.payload.text), texts);
});

test('unread messages are counted until the conversation is shown, and the sender learns of it', async () => {
  const [alice, bob] = await mixed();
  await bob.sendText(alice, 'one');
  await bob.sendText(alice, 'two');
  await listed(alice, bob, (entry) => entry?.unreadCount === 2 && entry.lastMessage.payload.text === 'two');
  await alice.waitFor('conversation.totalUnreadCount', (count) => count === 2);
  await show(alice, bob);
  await bob.waitFor('onMessageReadByPeer', (message) => message.payload.text === 'two');
  await listed(alice, bob, (entry) => entry?.unreadCount === 0);
  await listed(await signIn(alice), bob, (entry) => entry?.unreadCount === 0);
});

test('a message that is recalled here is recalled there', async () => {
  const [alice, bob] = await mixed();
  await show(alice, bob);
  const sent = await write(alice, bob, 'rash');
  await bob.waitForText('rash');
  await alice.call('TUIChat.revokeMessage', sent);
  assert.equal((await bob.waitFor('onMessageRevoked', (message) => message.ID === sent.ID)).revoker, alice.user);
  await stateWhere(alice, 'chat', 'messageList', ([message]) => message?.isRevoked === true);
});

test('a message that is recalled there is recalled here', async () => {
  const [alice, bob] = await mixed();
  await show(alice, bob);
  const sent = await bob.sendText(alice, 'rash');
  await alice.waitFor('chat.newMessageList', (message) => message.ID === sent.ID);
  await bob.call('revokeMessage', sent);
  await stateWhere(alice, 'chat', 'messageList', ([message]) => message?.ID === sent.ID && message.isRevoked === true);
});

test('a profile that is set here is read there, and the other way', async () => {
  const [alice, bob] = await mixed();
  await alice.call('TUIUser.updateMyProfile', { nick: 'Ally' });
  await alice.waitFor('user.userProfile', (profile) => profile.nick === 'Ally');
  assert.equal((await bob.call('getUserProfile', { userIDList: [alice.user] }))[0].nick, 'Ally');
  await bob.call('updateMyProfile', { nick: 'Robert' });
  const profiles = await alice.call('TUIUser.getUserProfile', { userIDList: [bob.user] });
  assert.equal(profiles[0].nick, 'Robert');
});

test('conversations are pinned, muted and deleted at every instance', async () => {
  const [alice, bob] = await mixed();
  const second = await world.login(alice);
  await bob.sendText(alice, 'list me');
  await listed(alice, bob, (entry) => entry !== undefined);
  await alice.call('TUIConversation.pinConversation', { conversationID: bob.conversation, isPinned: true });
  await second.conversationWhere(bob, (conversation) => conversation?.isPinned === true);
  await second.call('pinConversation', { conversationID: bob.conversation, isPinned: false });
  await listed(alice, bob, (entry) => entry?.isPinned === false);
  await alice.call('TUIConversation.muteConversation', { userIDList: [bob.user], messageRemindType: 'AcceptNotNotify' });
  await second.conversationWhere(bob, (conversation) => conversation?.messageRemindType === 'AcceptNotNotify');
  await second.call('deleteConversation', bob.conversation);
  await listed(alice, bob, (entry) => entry === undefined);
});

test('with one instance allowed a login elsewhere ends the engine', async () => {
  await world.app.set({ web_instances: 1 });
  try {
    const alice = await signIn(world.names('alice')[0]);
    await world.login(alice);
    await alice.waitFor('user.kickedOut', (type) => type === 'multipleAccount');
  } finally {
    await world.app.set({ web_instances: 10 });
  }
});
