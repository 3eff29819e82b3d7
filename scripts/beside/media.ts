import assert from 'node:assert/strict';
import sharp from 'sharp';
import type { Person } from '../dev/client.ts';
import { picture } from '../dev/picture.ts';

async function widthOf(bytes: Buffer): Promise<number> {
  return (await sharp(bytes).metadata()).width;
}

/**
 * Looks at the picture that somebody elsewhere has made their own, whole and small, and for one that is not there.
 * `openAt`: where both servers give media to everybody, as they did once, also without a token.
 */
export async function lookAtPictures(one: Person, other: Person, openAt?: string): Promise<void> {
  const png = await picture(640, 480, '#c04', '#04c');
  const uri = await other.upload(png, 'image/png');
  const path = `profile/${encodeURIComponent(other.userId)}/avatar_url`;
  await other.call('PUT', path, { avatar_url: uri });
  const { avatar_url: seen = '' } = await one.call('GET', path);
  assert.equal(seen, uri);
  // The small one first: a server that has the whole one makes it by itself.
  assert.equal(await widthOf(await one.thumbnail(seen, 'width=96&height=96&method=crop')), 96);
  assert.ok((await one.download(seen)).equals(png));
  assert.equal(await widthOf(await one.thumbnail(seen, 'width=320&height=240&method=scale')), 320);
  await assert.rejects(one.download(`${uri}x`), /: 404 .*M_NOT_FOUND/);
  if (openAt === undefined) return;
  const open = await other.upload(png, 'image/png');
  const id = open.slice('mxc://'.length);
  const get = async (rest: string) =>
    Buffer.from(await (await fetch(`${openAt}/_matrix/media/v3/${rest}`)).arrayBuffer());
  assert.equal(await widthOf(await get(`thumbnail/${id}?width=32&height=32&method=crop`)), 32);
  assert.ok((await get(`download/${id}`)).equals(png));
}
