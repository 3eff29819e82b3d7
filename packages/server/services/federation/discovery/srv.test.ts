import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Network, type SrvRecord, createSystemNetwork } from '../../outbound/network.ts';
import { findService, orderRecords } from './srv.ts';

const record = (name: string, priority: number, weight: number, port = 1): SrvRecord => ({
  name,
  priority,
  weight,
  port,
});
const names = (records: readonly SrvRecord[], random = 0): string[] =>
  orderRecords(records, () => random).map(({ host }) => host);

test('the lowest priority number comes first, whatever the weights', () => {
  const records = [record('c', 20, 100), record('a', 5, 0), record('b', 10, 1)];
  for (const random of [0, 0.5, 0.999]) assert.deepEqual(names(records, random), ['a', 'b', 'c']);
});

test('among equals, the weight says how often who comes first', () => {
  const records = [record('heavy', 1, 75), record('light', 1, 25)];
  const first = Array.from({ length: 100 }, (_, index) => names(records, (index + 0.5) / 100)[0]);
  assert.equal(first.filter((name) => name === 'heavy').length, 75);
  assert.deepEqual(names([record('never', 1, 0), record('always', 1, 10)], 0.5), ['always', 'never']);
});

test('a flood of records is cut', () => {
  const records = Array.from({ length: 1000 }, (_, index) => record(`n${index}`, 1, 1));
  assert.equal(names(records).length, 16);
});

function answering(records: Readonly<Record<string, readonly SrvRecord[] | 'fails'>>): Network {
  return {
    ...createSystemNetwork(),
    resolveSrv: (name) => {
      const found = records[name] ?? [];
      return found === 'fails' ? Promise.reject(new Error('SERVFAIL')) : Promise.resolve(found);
    },
  };
}

test('the registered service goes before the deprecated one', async () => {
  const find = (records: Parameters<typeof answering>[0]) => findService(answering(records), 'a.org', () => 0);
  const current = record('current.a.org', 1, 1, 10);
  const old = record('old.a.org.', 1, 1, 20);
  assert.deepEqual(await find({ '_matrix-fed._tcp.a.org': [current], '_matrix._tcp.a.org': [old] }), {
    targets: [{ host: 'current.a.org', port: 10 }],
    isCertain: true,
  });
  assert.deepEqual((await find({ '_matrix._tcp.a.org': [old] })).targets, [{ host: 'old.a.org', port: 20 }]);
  assert.deepEqual(await find({}), { targets: undefined, isCertain: true });
  assert.deepEqual(await find({ '_matrix-fed._tcp.a.org': 'fails' }), { targets: undefined, isCertain: false });
  assert.deepEqual((await find({ '_matrix-fed._tcp.a.org': [record('.', 0, 0, 0)] })).targets, []);
});
