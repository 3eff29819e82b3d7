import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { createAlarm } from './alarm.ts';

test('an alarm rings once however often it is set, and may be moved and cleared', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let rung = 0;
  const alarm = createAlarm(() => {
    assert.equal(alarm.isSet, false);
    rung += 1;
  });
  alarm.set(100);
  alarm.set(10);
  mock.timers.tick(99);
  assert.deepEqual([rung, alarm.isSet], [0, true]);
  mock.timers.tick(1);
  assert.deepEqual([rung, alarm.isSet], [1, false]);

  alarm.set(100);
  alarm.reset(200);
  mock.timers.tick(100);
  assert.equal(rung, 1);
  mock.timers.tick(100);
  assert.equal(rung, 2);

  alarm.set(100);
  alarm.clear();
  mock.timers.tick(1000);
  assert.deepEqual([rung, alarm.isSet], [2, false]);
  mock.timers.reset();
});
