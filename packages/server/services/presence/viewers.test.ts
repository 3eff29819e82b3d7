import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import { createViewers } from './viewers.ts';

test('people who change at the same moment are told of together, at once; what follows waits for the end of the pause', () => {
  const clock = createVirtualClock();
  const wakes: number[] = [];
  let isWaking = false;
  const nothing = () => undefined;
  const viewers = createViewers({
    ...clock,
    wake() {
      isWaking = true;
      wakes.push(clock.now());
    },
    isWaking: () => isWaking,
    onAsleep: nothing,
    onGrown: nothing,
    onShrunk: nothing,
  });
  const began = clock.now();
  const reader = '@reader:a.org';
  const { viewer } = viewers.open(reader);
  const since = viewers.serial();
  viewers.tell(viewer, '@alice:a.org', 'online');
  viewers.tell(viewer, '@bob:a.org', 'online');
  assert.equal(viewers.isDue(reader, since), true);
  isWaking = false;
  viewers.open(reader);
  const read = viewers.serial();
  clock.pass(10);
  viewers.tell(viewer, '@carol:a.org', 'online');
  assert.equal(viewers.isDue(reader, read), false);
  clock.pass(2000);
  assert.equal(viewers.isDue(reader, read), true);
  assert.deepEqual(
    wakes.map((at) => at - began),
    [0, 1000],
  );
  viewers.close();
});
