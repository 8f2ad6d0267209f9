/** Media messages whose addresses the sender supplies: from a back end over REST, then forwarded by the SDK. */

import assert from 'node:assert/strict';
import { test } from '../harness/test.js';
import { randomNumber } from '../harness/app.js';
import { World } from '../harness/world.js';

const FILES = 'https://files.example.com';

const world = await World.open();

const image = {
  UUID: 'pier.png',
  ImageFormat: 3,
  ImageInfoArray: [
    { Type: 1, Size: 181_000, Width: 1600, Height: 900, URL: `${FILES}/pier.png` },
    { Type: 2, Size: 48_000, Width: 1280, Height: 720, URL: `${FILES}/pier-large.png` },
    { Type: 3, Size: 5_100, Width: 352, Height: 198, URL: `${FILES}/pier-thumb.png` },
  ],
};
const sound = { Url: `${FILES}/call.m4a`, UUID: 'call.m4a', Size: 62_351, Second: 9, Download_Flag: 2 };
const file = { Url: `${FILES}/Fahrplan%20ä.pdf`, UUID: 'plan', FileName: 'Fahrplan ä.pdf', FileSize: 1_773_552, Download_Flag: 2 };
const video = {
  VideoUrl: `${FILES}/tide.mp4`,
  VideoUUID: 'tide',
  VideoSize: 1_194_603,
  VideoSecond: 5,
  VideoFormat: 'mp4',
  VideoDownloadFlag: 2,
  ThumbUrl: `${FILES}/tide.jpg`,
  ThumbUUID: 'tide-thumb',
  ThumbSize: 13_907,
  ThumbWidth: 720,
  ThumbHeight: 1280,
  ThumbFormat: 'JPG',
  ThumbDownloadFlag: 2,
};

/** @type {[string, object, (payload: any) => void][]} */
const kinds = [
  ['TIMImageElem', image, (payload) => {
    assert.equal(payload.imageFormat, 3);
    assert.equal(payload.uuid, 'pier.png');
    // The SDK lists and sends the thumbnail before the large picture, but reads the large one first: the server sorts.
    const [original, thumbnail, large] = payload.imageInfoArray.map((/** @type {any} */ one) => one.url);
    assert.deepEqual([original, large, thumbnail], image.ImageInfoArray.map((one) => one.URL));
    assert.equal(payload.imageInfoArray[0].width, 1600);
    assert.equal(payload.imageInfoArray[0].height, 900);
    assert.equal(payload.imageInfoArray[0].size, 181_000);
  }],
  ['TIMSoundElem', sound, (payload) => {
    assert.equal(payload.url, sound.Url);
    assert.equal(payload.uuid, sound.UUID);
    assert.equal(payload.size, sound.Size);
    assert.equal(payload.second, sound.Second);
  }],
  ['TIMFileElem', file, (payload) => {
    assert.equal(payload.fileUrl, file.Url);
    assert.equal(payload.uuid, file.UUID);
    assert.equal(payload.fileName, file.FileName);
    assert.equal(payload.fileSize, file.FileSize);
  }],
  ['TIMVideoFileElem', video, (payload) => {
    assert.equal(payload.videoUrl, video.VideoUrl);
    assert.equal(payload.videoUUID, video.VideoUUID);
    assert.equal(payload.videoSize, video.VideoSize);
    assert.equal(payload.videoSecond, video.VideoSecond);
    assert.equal(payload.videoFormat, video.VideoFormat);
    assert.equal(payload.thumbUrl, video.ThumbUrl);
    assert.equal(payload.thumbUUID, video.ThumbUUID);
    assert.equal(payload.thumbWidth, video.ThumbWidth);
    assert.equal(payload.thumbHeight, video.ThumbHeight);
  }],
];

for (const [type, content, verify] of kinds) {
  test(`a ${type} sent over REST arrives intact, and intact again when it is forwarded`, async () => {
    const [alice, bob, carol] = await world.people('alice', 'bob', 'carol');
    await world.rest('openim/sendmsg', {
      From_Account: alice.user,
      To_Account: bob.user,
      MsgRandom: randomNumber(),
      MsgBody: [{ MsgType: type, MsgContent: content }],
    });
    const received = await bob.waitFor('onMessageReceived');
    assert.equal(received.type, type);
    verify(received.payload);

    await bob.send('createForwardMessage', carol, received);
    const forwarded = await carol.waitFor('onMessageReceived');
    assert.equal(forwarded.type, type);
    verify(forwarded.payload);

    const [stored] = await (await world.login(carol)).history(bob);
    assert.equal(stored.type, type);
    verify(stored.payload);
  });
}

test('a message of several elements keeps them all', async () => {
  const [alice, bob] = await world.people('alice', 'bob');
  const MsgBody = [
    { MsgType: 'TIMTextElem', MsgContent: { Text: 'see' } },
    { MsgType: 'TIMSoundElem', MsgContent: sound },
    { MsgType: 'TIMFaceElem', MsgContent: { Index: 1, Data: 'wave' } },
  ];
  const tapped = await world.login(bob, { tapped: true });
  await world.rest('openim/sendmsg', { From_Account: alice.user, To_Account: bob.user, MsgRandom: randomNumber(), MsgBody });
  assert.equal((await tapped.waitFor('onMessageReceived')).payload.text, 'see');
  const push = await tapped.proxy.waitFor('the push', ({ body }) => body.EventArray?.some((/** @type {any} */ item) => item.C2cMsgArray));
  const pushed = push.body.EventArray.find((/** @type {any} */ item) => item.C2cMsgArray).C2cMsgArray[0];
  assert.deepEqual(pushed.MsgBody, MsgBody);
});
