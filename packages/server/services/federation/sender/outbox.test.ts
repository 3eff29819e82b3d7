import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { createOutbox, type Outbox, type OutboxEntry } from './outbox.ts';

function entry(key: string, over: Partial<OutboxEntry> = {}): OutboxEntry {
  return { key, type: 'm.typing', content: { key }, urgent: true, lasting: false, ...over };
}

const keys = (outbox: Outbox, host: string, limit = 100) => outbox.pack(host, limit).entries.map(({ key }) => key);

suite('the outbox', () => {
  test('keeps the last of what has the same key, until it has arrived', () => {
    const outbox = createOutbox();
    const [first, second] = [entry('a', { content: { n: 1 } }), entry('a', { content: { n: 2 } })];
    outbox.put(['x', 'y'], first);
    const packed = outbox.pack('x', 10);
    assert.deepEqual(packed.edus, [{ type: 'm.typing', content: { n: 1 } }]);
    outbox.put(['x'], second);
    outbox.sent('x', packed.entries);
    assert.deepEqual(outbox.pack('x', 10).entries, [second], 'what replaced it is still to be sent');
    outbox.sent('x', [second]);
    assert.deepEqual(outbox.pack('x', 10).edus, []);
    assert.deepEqual(outbox.pack('y', 10).entries, [first]);
    assert.equal(outbox.size, 1);
  });

  test('tells the sender of what is urgent', () => {
    const outbox = createOutbox();
    const urgent: string[] = [];
    const stop = outbox.onUrgent((host) => urgent.push(host));
    outbox.put(['x'], entry('a', { urgent: false }));
    outbox.put(['x', 'y'], entry('b'));
    stop();
    outbox.put(['x'], entry('c'));
    assert.deepEqual(urgent, ['x', 'y']);
  });

  test('merges entries of a type, so many to an EDU', () => {
    const merge = { perEdu: 2, merge: (contents: readonly unknown[]) => ({ push: contents as [] }) };
    const outbox = createOutbox({ merges: new Map([['m.presence', merge]]) });
    for (const key of ['p1', 'p2', 'p3']) outbox.put(['x'], entry(key, { type: 'm.presence' }));
    outbox.put(['x'], entry('t'));
    assert.deepEqual(
      outbox.pack('x', 10).edus.map(({ content }) => content),
      [{ push: [{ key: 'p1' }, { key: 'p2' }] }, { push: [{ key: 'p3' }] }, { key: 't' }],
    );
    assert.deepEqual(keys(outbox, 'x', 1), ['p1', 'p2']);
  });

  test('forgets what does not last of a server that is out of reach', () => {
    const outbox = createOutbox();
    outbox.put(['x', 'y'], entry('typing'));
    outbox.put(['x'], entry('presence', { lasting: true }));
    outbox.unreachable('x');
    assert.deepEqual([keys(outbox, 'x'), keys(outbox, 'y')], [['presence'], ['typing']]);
    outbox.drop('x');
    assert.deepEqual([keys(outbox, 'x'), outbox.size], [[], 1]);
  });

  test('is bounded for each server and in all, and sheds first what does not last', () => {
    const outbox = createOutbox({ maxPerHost: 3, maxEntries: 5 });
    for (const key of ['p1', 'p2']) outbox.put(['x'], entry(key, { lasting: true }));
    for (const key of ['t1', 't2']) outbox.put(['x'], entry(key));
    assert.deepEqual(keys(outbox, 'x'), ['p1', 'p2', 't2']);
    outbox.put(['x'], entry('p3', { lasting: true }));
    outbox.put(['x'], entry('p4', { lasting: true }));
    assert.deepEqual(keys(outbox, 'x'), ['p2', 'p3', 'p4']);
    outbox.put(['y'], entry('t1'));
    outbox.put(['z'], entry('t1'));
    outbox.put(['w'], entry('t1'));
    outbox.put(['y'], entry('t2'));
    assert.deepEqual([keys(outbox, 'w'), keys(outbox, 'y'), keys(outbox, 'z')], [[], ['t2'], ['t1']]);
    assert.equal(outbox.size, 5);
  });

  test('says what has arrived and what was dropped, not what another entry took the place of', () => {
    const outbox = createOutbox({ maxPerHost: 2 });
    const done: string[] = [];
    const put = (key: string, name: string) =>
      outbox.put(['x'], entry(key, { lasting: true, done: (arrived) => done.push(`${name} ${String(arrived)}`) }));
    put('a', 'first');
    put('a', 'second');
    outbox.sent('x', outbox.pack('x', 10).entries);
    assert.deepEqual(done.splice(0), ['second true']);
    for (const key of ['b', 'c', 'd']) put(key, key);
    assert.deepEqual(done.splice(0), ['b false'], 'there is no place for it');
    outbox.drop('x');
    assert.deepEqual(done, ['c false', 'd false']);
  });

  test('drops last what is weighty, and says when there is room again', () => {
    const outbox = createOutbox({ maxPerHost: 2 });
    const [done, opened]: [string[], (string | undefined)[]] = [[], []];
    const stop = outbox.onOpen((host) => opened.push(host));
    const put = (key: string, weighty = true) =>
      outbox.put(
        ['x'],
        entry(key, { lasting: true, weighty, done: (arrived) => done.push(`${key} ${String(arrived)}`) }),
      );
    put('a');
    outbox.put(['x'], entry('b', { lasting: true }));
    put('c');
    assert.deepEqual([keys(outbox, 'x'), done], [['a', 'c'], []]);
    outbox.sent('x', outbox.pack('x', 1).entries);
    assert.deepEqual(opened, [], 'nothing of the kind was dropped');
    for (const key of ['d', 'e']) put(key);
    assert.deepEqual(done.splice(0), ['a true', 'c false']);
    for (let time = 0; time < 2; time++) outbox.sent('x', outbox.pack('x', 1).entries);
    assert.deepEqual(opened, ['x'], 'once');
    done.splice(0);
    for (const key of ['f', 'g']) put(key);
    put('light', false);
    assert.deepEqual([keys(outbox, 'x'), done], [['f', 'g'], ['light false']]);
    outbox.sent('x', outbox.pack('x', 1).entries);
    assert.deepEqual(opened.splice(1), ['x'], 'for that, too');
    outbox.tookOver();
    assert.deepEqual(opened, ['x', undefined]);
    stop();
    outbox.tookOver();
    assert.equal(opened.length, 2);
  });

  test('fills EDUs by what entries weigh, and divides none', () => {
    const merge = {
      perEdu: 3,
      weigh: ({ weight }: { readonly [key: string]: unknown }) => weight as number,
      merge: (contents: readonly unknown[]) => ({ push: contents as [] }),
    };
    const outbox = createOutbox({ merges: new Map([['m.presence', merge]]) });
    for (const [key, weight] of [1, 2, 2, 5, 1].entries()) {
      outbox.put(['x'], entry(String(key), { type: 'm.presence', content: { weight } }));
    }
    const { edus, entries } = outbox.pack('x', 3);
    assert.deepEqual(
      edus.map(({ content }) => (content['push'] as unknown[]).length),
      [2, 1, 1],
    );
    assert.equal(entries.length, 4);
  });
});
