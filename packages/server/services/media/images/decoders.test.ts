import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { loadSharp, sniffImage } from './decoders.ts';

const picture = () => sharp({ create: { width: 20, height: 10, channels: 3, background: 'red' } });

test('the library decodes nothing but what is allowed, whatever it is asked for', async () => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10"/></svg>';
  const refused = [Buffer.from(svg), await picture().tiff().toBuffer(), await picture().avif().toBuffer()];
  const allowed = [
    await picture().png().toBuffer(),
    await picture().jpeg().toBuffer(),
    await picture().gif().toBuffer(),
  ];
  const load = await loadSharp();
  for (const bytes of refused) {
    assert.equal(await sniffImage(bytes), undefined);
    await assert.rejects(load(bytes, {}).metadata(), bytes.toString('latin1', 0, 20));
  }
  for (const bytes of allowed) assert.equal((await load(bytes, {}).metadata()).width, 20);
});
