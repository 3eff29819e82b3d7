import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sharp } from 'sharp';
import { loadSharp } from '../images/decoders.ts';
import { renderThumbnail } from './render.ts';

test('no image is decoded for longer than fifteen seconds', async (context) => {
  const sharp = await loadSharp();
  const blank = { width: 64, height: 64, channels: 3, background: 'red' } as const;
  const { default: make } = await import('sharp');
  const bytes = await make({ create: blank }).png().toBuffer();
  const timeout = context.mock.method(Object.getPrototypeOf(sharp(bytes, {})) as Sharp, 'timeout');
  const rendered = await renderThumbnail(bytes, { size: { width: 32, height: 32 }, method: 'crop', animated: false });
  assert.equal(rendered.kind, 'image');
  assert.deepEqual(
    timeout.mock.calls.map((call) => call.arguments),
    [[{ seconds: 15 }]],
  );
});
