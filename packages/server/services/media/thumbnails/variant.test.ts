import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { chooseVariant, thumbnailSize, variantName } from './variant.ts';

const wanted = fc.record({
  width: fc.integer({ min: 1, max: 1600 }),
  height: fc.integer({ min: 1, max: 1200 }),
  method: fc.constantFrom('crop' as const, 'scale' as const),
  animated: fc.boolean(),
});
const image = fc.record({ width: fc.integer({ min: 1, max: 20_000 }), height: fc.integer({ min: 1, max: 20_000 }) });

test('a thumbnail is never smaller than it was wanted, unless its image is, and never larger than that', () => {
  fc.assert(
    fc.property(wanted, image, (wanted, image) => {
      const size = thumbnailSize(image, chooseVariant(wanted));
      if (size === undefined) return;
      assert.ok(size.width <= image.width && size.height <= image.height);
      const isCovered = image.width >= wanted.width * 2 && image.height >= wanted.height * 2;
      if (wanted.method === 'scale') assert.ok(size.width >= wanted.width && size.height >= wanted.height);
      else if (isCovered && image.width > 1600 && image.height > 1600) {
        assert.ok(size.width >= wanted.width && size.height >= wanted.height);
      }
    }),
  );
});

test('a cropped thumbnail has about the shape that was wanted, a scaled one that of its image', () => {
  fc.assert(
    fc.property(wanted, (wanted) => {
      const image = { width: 4000, height: 3000 };
      const size = thumbnailSize(image, chooseVariant(wanted));
      if (size === undefined) return;
      const shape = wanted.method === 'crop' ? wanted : image;
      const ratio = (of: { width: number; height: number }) =>
        Math.min(of.width, of.height) / Math.max(of.width, of.height);
      assert.ok(Math.abs(ratio(size) - ratio(shape)) < 0.13);
    }),
  );
});

test('there are few thumbnails of an image, however many are wanted', () => {
  const names = new Set<string>();
  for (let width = 1; width < 2000; width += 7) {
    for (let height = 1; height < 2000; height += 7) {
      for (const method of ['crop', 'scale'] as const) {
        names.add(variantName(chooseVariant({ width, height, method, animated: false })));
      }
    }
  }
  assert.ok(names.size < 120, `${names.size}`);
});
