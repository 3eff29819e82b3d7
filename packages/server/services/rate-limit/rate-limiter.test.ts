import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultRates } from './rate-classes.ts';
import { addressKey, createRateLimiter, networkKey } from './rate-limiter.ts';

function create(maxBuckets?: number) {
  const clock = { at: 0 };
  const limiter = createRateLimiter({
    enabled: true,
    now: () => clock.at,
    rates: { ...defaultRates, login: { perSecond: 0.5, burst: 2 } },
    ...(maxBuckets === undefined ? {} : { maxBuckets }),
  });
  return { clock, limiter };
}

const refusal = { reason: 'request.limit-exceeded' };

test('a bucket empties, says when to come back, and fills again', () => {
  const { clock, limiter } = create();
  limiter.take('login', 'a');
  limiter.take('login', 'a');
  assert.throws(() => limiter.take('login', 'a'), { ...refusal, fields: { retry_after_ms: 2000 } });
  clock.at += 1999;
  assert.throws(() => limiter.take('login', 'a'), refusal);
  clock.at += 1;
  limiter.take('login', 'a');
  clock.at += 3_600_000;
  limiter.take('login', 'a');
  limiter.take('login', 'a');
  assert.throws(() => limiter.take('login', 'a'), refusal);
});

test('buckets of other keys and classes are others', () => {
  const { limiter } = create();
  limiter.take('login', 'a');
  limiter.take('login', 'a');
  limiter.take('login', 'b');
  limiter.take('register', 'a');
});

test('five people of one address have their accounts at once, with the three requests that clients take for each', () => {
  const limiter = createRateLimiter({ enabled: true, now: () => 0, rates: defaultRates });
  for (let n = 0; n < 5 * 3; n++) limiter.take('register', 'a');
  assert.throws(() => limiter.take('register', 'a'), refusal);
});

test('looking takes nothing', () => {
  const { limiter } = create();
  for (let n = 0; n < 10; n++) limiter.check('login', 'a');
  limiter.take('login', 'a');
  limiter.take('login', 'a');
  assert.throws(() => limiter.check('login', 'a'), refusal);
});

test('there are never more buckets than allowed, and one in use is not forgotten', () => {
  const { limiter } = create(3);
  limiter.take('login', 'a');
  limiter.take('login', 'a');
  for (let n = 0; n < 100; n++) {
    limiter.take('login', `other ${n}`);
    assert.throws(() => limiter.take('login', 'a'), refusal);
  }
  for (let n = 0; n < 3; n++) limiter.take('login', `another ${n}`);
  limiter.take('login', 'a');
});

test('the addresses of one IPv6 network count as one', () => {
  assert.equal(addressKey('192.0.2.1'), '192.0.2.1');
  assert.equal(addressKey('2001:db8:1:2:3:4:5:6'), addressKey('2001:db8:1:2::9'));
  assert.equal(addressKey('2001:db8::1'), '2001:db8:0:0');
  assert.notEqual(addressKey('2001:db8:1:2::9'), addressKey('2001:db8:1:3::9'));
  assert.equal(addressKey('::1'), '0:0:0:0');
});

test('an address is the same however it is written, and whatever the port', () => {
  for (const [key, ...written] of [
    ['192.0.2.1', '192.0.2.1', '192.0.2.1:4711', '::ffff:192.0.2.1', '::FFFF:192.0.2.1', '::ffff:c000:201'],
    ['192.0.2.1', '0:0:0:0:0:ffff:192.0.2.1', '[::ffff:192.0.2.1]:80'],
    ['2001:db8:0:1', '2001:db8:0:1::9', '2001:0DB8:0000:0001:0:0:0:9', '[2001:db8:0:1::8]', '[2001:db8:0:1::8]:443'],
    ['fe80:0:0:0', 'fe80::1%eth0', 'fe80::2%eth1', 'fe80::'],
    ['0:0:0:0', '::', '::1', '::fffe:192.0.2.1'],
    ['unknown', 'unknown'],
    ['a:b', 'a:b'],
    ['', ''],
  ] as const) {
    for (const each of written) assert.equal(addressKey(each), key, each);
  }
});

test('of networks of IPv6 that one has by the thousand, all count as one where logins are shared out', () => {
  assert.equal(networkKey('2001:db8:1:2::9'), '2001:db8:1');
  assert.equal(networkKey('[2001:DB8:1:ffff::1]:443'), '2001:db8:1');
  assert.notEqual(networkKey('2001:db8:2:2::9'), networkKey('2001:db8:1:2::9'));
  assert.equal(networkKey('::1'), '0:0:0');
  for (const each of ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1:4711']) assert.equal(networkKey(each), '192.0.2.1');
  for (const each of ['unknown', 'a:b', '']) assert.equal(networkKey(each), each);
});

test('the number of buckets is watched', () => {
  const watched = new Map<string, () => number>();
  const limiter = createRateLimiter({
    enabled: true,
    now: () => 0,
    watch: (name, { size }) => watched.set(name, size),
  });
  limiter.take('login', 'a');
  limiter.take('join', 'a');
  assert.equal(watched.get('rate_limits')?.(), 2);
});
