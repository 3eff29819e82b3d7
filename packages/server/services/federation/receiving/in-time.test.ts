import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInTime } from './in-time.ts';

const unexpected = (error: unknown): void => assert.fail(String(error));
const never = 2 ** 31 - 1;

/** Work that notes what is kept of it. */
function noting(owner = 'hs1') {
  const notes: string[] = [];
  const note = (text: string) => () => {
    notes.push(text);
    return Promise.resolve();
  };
  return { notes, owner, keep: note('kept'), forget: note('forgotten') };
}
type Noting = Partial<ReturnType<typeof noting>>;

const work = <T>(run: (onSlow: () => void) => Promise<T>, over: Noting = {}) => ({ ...noting(), ...over, run });

const slow = <T>(result: Promise<T>, over: Noting = {}) =>
  work((onSlow) => {
    onSlow();
    return result;
  }, over);

test('what is not slow is waited for', async () => {
  const inTime = createInTime({ patience: 0, most: 1, mostOfOwner: 1, onFailure: unexpected });
  assert.equal(await inTime(work(() => Promise.resolve(1))), 1);
  await assert.rejects(inTime(work(() => Promise.reject(new Error('no')))), /no/u);
});

test('what becomes slow is waited for a while', async () => {
  const inTime = createInTime({ patience: never, most: 1, mostOfOwner: 1, onFailure: unexpected });
  const noted = noting();
  assert.equal(await inTime(slow(Promise.resolve(1), noted)), 1);
  assert.deepEqual(noted.notes, []);
});

test('it goes on by itself then, as long as there is not too much of that, and is kept until it is done', async () => {
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => void failures.push(error);
  const inTime = createInTime({ patience: 0, most: 2, mostOfOwner: 1, onFailure });
  const first = Promise.withResolvers<number>();
  const second = Promise.withResolvers<number>();
  const third = Promise.withResolvers<number>();
  const noted = noting();
  assert.equal(await inTime(slow(first.promise, noted)), undefined);
  assert.deepEqual(noted.notes, ['kept']);
  const ofSame = inTime(slow(second.promise));
  assert.equal(await inTime(slow(third.promise, { owner: 'hs2' })), undefined, 'another has a place');
  const ofThird = inTime(slow(second.promise, { owner: 'hs3' }));
  second.resolve(2);
  assert.deepEqual([await ofSame, await ofThird], [2, 2]);
  first.reject(new Error('too late'));
  third.resolve(3);
  await assert.rejects(first.promise);
  assert.deepEqual(failures.map(String), ['Error: too late']);
  assert.equal(await inTime(slow(new Promise(() => undefined))), undefined, 'there is room again');
  assert.deepEqual(noted.notes, ['kept', 'forgotten']);
});

test('what cannot be kept is waited for', async () => {
  const failures: unknown[] = [];
  const result = Promise.withResolvers<number>();
  const onFailure = (error: unknown): void => {
    failures.push(error);
    result.resolve(1);
  };
  const inTime = createInTime({ patience: 0, most: 1, mostOfOwner: 1, onFailure });
  const keep = () => Promise.reject(new Error('disk full'));
  assert.equal(await inTime(slow(result.promise, { keep })), 1);
  assert.deepEqual(failures.map(String), ['Error: disk full']);
});
