import assert from 'node:assert/strict';
import { crc32, deflateSync } from 'node:zlib';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import sharp, { type Create } from 'sharp';

const server = await startTestServer();
const alice = await server.registerUser('alice');
const authorization = `Bearer ${alice.accessToken}`;

async function upload(body: Buffer, type = 'image/png'): Promise<string> {
  const init = { method: 'POST', body: new Uint8Array(body), headers: { authorization, 'content-type': type } };
  const response = await fetch(`${server.baseUrl}/_matrix/media/v3/upload`, init);
  const { content_uri: uri } = (await response.json()) as { content_uri: string };
  return uri.slice('mxc://'.length);
}

const get = (place: string, query: string) =>
  fetch(`${server.baseUrl}/_matrix/client/v1/media/thumbnail/${place}?${query}`, { headers: { authorization } });

type Thumbnail = { type: string; format: string; width: number; height: number; pages: number; bytes: Buffer };

async function thumbnail(place: string, query: string): Promise<Thumbnail> {
  const response = await get(place, query);
  assert.equal(response.status, 200, query);
  const type = response.headers.get('content-type') ?? '';
  const [, extension = ''] = type.split('/');
  assert.equal(response.headers.get('content-disposition'), `inline; filename="thumbnail.${extension}"`);
  assert.match(response.headers.get('content-security-policy') ?? '', /^sandbox;/);
  const bytes = Buffer.from(await response.arrayBuffer());
  const { format, width, height, pages = 1, pageHeight = height } = await sharp(bytes, { animated: true }).metadata();
  return { type, format, width, height: pageHeight, pages, bytes };
}

async function refused(place: string): Promise<[number, unknown]> {
  const response = await get(place, 'width=32&height=32');
  return [response.status, ((await response.json()) as { errcode: string }).errcode];
}

const red = { r: 255, g: 0, b: 0 };
const picture = (width: number, height: number, more: Partial<Create> = {}) =>
  sharp({ create: { width, height, channels: 3, background: red, ...more } });
const filesOf = (folder: string) =>
  readdirSync(join(server.dataDir, folder), { recursive: true, encoding: 'utf8' }).filter((n) => n.length > 32);

const landscape = await upload(await picture(1000, 500).jpeg().toBuffer(), 'image/jpeg');
after(() => server.close());
const size = ({ width, height }: Thumbnail) => [width, height];

describe('a thumbnail', () => {
  const sizes: readonly (readonly [query: string, size: readonly [number, number]])[] = [
    ['width=32&height=32&method=crop', [32, 32]],
    ['width=50&height=50&method=crop', [96, 96]],
    ['width=320&height=240&method=crop', [320, 240]],
    ['width=160&height=300&method=crop', [200, 320]],
    ['width=32&height=32&method=scale', [64, 32]],
    ['width=320&height=240', [480, 240]],
    ['width=1&height=400', [960, 480]],
    ['width=800&height=600', [1000, 500]],
    ['width=9000&height=9000', [1000, 500]],
    ['width=9000&height=9000&method=crop', [1000, 500]],
  ];
  for (const [query, expected] of sizes) {
    test(`of 1000×500 for ${query} is ${expected.join('×')}`, async () => {
      assert.deepEqual(size(await thumbnail(landscape, query)), expected.slice());
    });
  }

  test('is what was wanted or larger, and never larger than the original', async () => {
    const small = await upload(await picture(40, 30).png().toBuffer());
    assert.deepEqual(size(await thumbnail(small, 'width=96&height=96&method=crop')), [40, 30]);
    assert.deepEqual(size(await thumbnail(small, 'width=32&height=32&method=crop')), [30, 30]);
  });

  test('is of the kind of its original, upright, without what the camera wrote into it', async () => {
    const photo = picture(400, 200).withMetadata({ orientation: 6, exif: { IFD0: { Copyright: 'me' } } });
    const upright = await thumbnail(await upload(await photo.jpeg().toBuffer()), 'width=96&height=96');
    assert.deepEqual([upright.type, ...size(upright)], ['image/jpeg', 96, 192]);
    assert.equal((await sharp(upright.bytes).metadata()).exif, undefined);
    const clear = picture(400, 200, { channels: 4, background: { ...red, alpha: 0.5 } });
    for (const format of ['png', 'webp'] as const) {
      const made = await thumbnail(await upload(await clear.toFormat(format).toBuffer()), 'width=32&height=32');
      assert.equal(made.type, 'image/png', format);
    }
  });

  test('is made once, and only when it is asked for', async () => {
    const place = await upload(await picture(500, 500).png().toBuffer());
    const before = filesOf('media').length;
    const query = 'width=90&height=90&method=crop';
    const all = await Promise.all(Array.from({ length: 10 }, () => thumbnail(place, query)));
    assert.equal(filesOf('media').length, before + 1);
    for (const one of all) assert.deepEqual(one.bytes, all[0]?.bytes);
    await thumbnail(place, 'width=96&height=96&method=crop');
    assert.equal(filesOf('media').length, before + 1);
  });

  test('has headers, parts and a tag as other files do', async () => {
    const response = await get(landscape, 'width=32&height=32');
    const tag = response.headers.get('etag') ?? '';
    await response.arrayBuffer();
    const init = { headers: { authorization, 'if-none-match': tag } };
    const url = `${server.baseUrl}/_matrix/client/v1/media/thumbnail/${landscape}?width=32&height=32`;
    assert.equal((await fetch(url, init)).status, 304);
  });

  test('of a size that makes no sense is refused', async () => {
    for (const query of [
      '',
      'width=1',
      'width=0&height=1',
      'width=-1&height=1',
      'width=a&height=1',
      'width=1.5&height=1',
    ]) {
      assert.equal((await get(landscape, query)).status, 400, query);
    }
    assert.equal((await get(landscape, 'width=1&height=1&method=stretch')).status, 400);
  });
});

describe('an animation', async () => {
  const frames = await Promise.all(
    [0, 80, 160].map((r) =>
      picture(200, 100, { background: { ...red, r } })
        .png()
        .toBuffer(),
    ),
  );
  const moving = sharp(frames, { join: { animated: true } });
  for (const format of ['gif', 'webp'] as const) {
    test(`moves only if that is wanted (${format})`, async () => {
      const place = await upload(await moving.clone().toFormat(format).toBuffer());
      const moves = await thumbnail(place, 'width=32&height=32&animated=true');
      assert.deepEqual([moves.type, moves.pages, ...size(moves)], ['image/webp', 3, 64, 32]);
      for (const query of ['animated=false', '']) {
        const still = await thumbnail(place, `width=32&height=32&${query}`);
        assert.deepEqual([still.pages, ...size(still)], [1, 64, 32]);
      }
    });

    test(`that is small enough is the thumbnail itself, or stands still (${format})`, async () => {
      const place = await upload(await moving.clone().toFormat(format).toBuffer());
      const itself = await thumbnail(place, 'width=640&height=480&animated=true');
      assert.deepEqual([itself.type, itself.pages], [`image/${format}`, 3]);
      const still = await thumbnail(place, 'width=640&height=480');
      assert.deepEqual([still.pages, ...size(still)], [1, 200, 100]);
    });
  }

  test('of more frames than anybody wants to see so small stands still', async () => {
    const many = await Promise.all(
      Array.from({ length: 501 }, (_, n) =>
        picture(60, 60, { background: { r: n % 256, g: Math.floor(n / 256), b: 0 } })
          .png()
          .toBuffer(),
      ),
    );
    const place = await upload(
      await sharp(many, { join: { animated: true } })
        .webp({ lossless: true })
        .toBuffer(),
    );
    assert.equal((await thumbnail(place, 'width=32&height=32&animated=true')).pages, 1);
  });
});

/** A PNG of one colour that says it is of that size. */
function pngOf(width: number, height: number, rows: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const pixels = deflateSync(Buffer.alloc(Math.min(1_000_000, Math.ceil(width / 8) + 1) * rows));
  const signature = Buffer.from('89504e470d0a1a0a', 'hex');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

describe('an image that is meant to harm', () => {
  test('with far more pixels than bytes is refused before it is decoded', async () => {
    for (const [width, height] of [
      [30_000, 30_000],
      [2_000_000_000, 1],
      [1_000_000, 1_000_000],
    ] as const) {
      const start = process.cpuUsage();
      const [status] = await refused(await upload(pngOf(width, height, 10)));
      assert.ok(status === 413 || status === 400, `${width}×${height}: ${status}`);
      const { user } = process.cpuUsage(start);
      assert.ok(user < 2_000_000, `${user / 1000} ms`);
    }
    assert.deepEqual(await refused(await upload(pngOf(20_000, 10_000, 10))), [413, 'M_TOO_LARGE']);
  });

  test('that has to be decoded as a whole may have fewer pixels', async () => {
    const progressive = await picture(8000, 5000).jpeg({ progressive: true, quality: 1 }).toBuffer();
    assert.deepEqual(await refused(await upload(progressive)), [413, 'M_TOO_LARGE']);
  });

  test('of a type that is not decoded is refused, whatever it is called', async () => {
    const svg = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    );
    const others = [
      svg,
      Buffer.from('%PDF-1.4\n'),
      await picture(50, 50).tiff().toBuffer(),
      await picture(50, 50).avif().toBuffer(),
      Buffer.from('no image at all'),
      Buffer.alloc(0),
    ];
    for (const bytes of others) assert.deepEqual(await refused(await upload(bytes, 'image/png')), [400, 'M_UNKNOWN']);
  });

  test('that is cut off or garbled is refused, and harms nothing', async () => {
    const noise = picture(300, 300, { noise: { type: 'gaussian', mean: 128, sigma: 60 } });
    for (const format of ['png', 'jpeg', 'webp', 'gif'] as const) {
      const whole = await noise.clone().toFormat(format).toBuffer();
      for (const part of [0.02, 0.3, 0.6]) {
        const [status] = await refused(await upload(whole.subarray(0, whole.length * part)));
        assert.equal(status, 400, `${format}, ${part} of it`);
      }
      for (let at = 20; at < whole.length; at += Math.ceil(whole.length / 8)) {
        const garbled = Buffer.from(whole);
        garbled.fill(0xff, at, at + 40);
        const response = await get(await upload(garbled), 'width=32&height=32');
        await response.arrayBuffer();
        assert.ok([200, 400, 413].includes(response.status), `${format}: ${response.status}`);
      }
    }
    // A lossless WebP whose code lengths do not add up (as CVE-2023-4863 used them).
    const lossless = await noise.clone().webp({ lossless: true }).toBuffer();
    const start = lossless.indexOf('VP8L') + 13;
    lossless.fill(0x00, start, start + 200);
    assert.equal((await refused(await upload(lossless)))[0], 400);
    assert.equal(
      (await refused(await upload(Buffer.from('52494646ffffffff574542505650384cffffffff2f', 'hex'))))[0],
      400,
    );
  });

  test('and all that was no defect', () => assert.deepEqual(server.errors, []));
});
