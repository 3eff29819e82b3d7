import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { runSteps } from '../../steps.ts';
import { canMatchServer, serverOfGlob } from './glob-reach.ts';
import { globsByServerSteps } from './globs-by-server.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) };
const glob = fc
  .string({ unit: fc.constantFrom('@', ':', '*', '?', 'a', 'b', '8'), maxLength: 7 })
  .filter((text) => /[*?]/.test(text));
const globs = fc.array(glob, { minLength: 1, maxLength: 60 });
const server = fc.constantFrom('a', 'b', 'ab', 'a:8', 'a.b:88');

test('the globs for a server are those that can match somebody there', () => {
  const property = fc.property(globs, server, fc.integer({ min: 1, max: 70 }), (list, server, limit) => {
    const all = list.filter((each) => canMatchServer(each, server));
    const byServer = runSteps(globsByServerSteps(list));
    const found = runSteps(byServer.ofSteps(server, limit));
    assert.equal(found.length, Math.min(all.length, limit));
    if (all.length <= limit) assert.deepEqual(found.toSorted(), all.toSorted());
    else assert.ok(found.every((each) => all.includes(each)));
    assert.deepEqual(byServer.named, new Set(list.map(serverOfGlob).filter((each) => each !== undefined)));
  });
  fc.assert(property, runs);
});

test('globs of other servers cost nothing', () => {
  const list = Array.from({ length: 50_000 }, (_, index) => `@*${'a?'.repeat(10)}:s${index}.example`);
  const byServer = runSteps(globsByServerSteps(list));
  for (const server of ['s7.example', 'example', 's50000.example']) {
    const steps = byServer.ofSteps(server, 10);
    assert.deepEqual(steps.next(), { done: true, value: list.filter((each) => each.endsWith(`:${server}`)) });
  }
});
