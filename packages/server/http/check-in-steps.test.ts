import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSteps } from '@portico/protocol/steps.ts';
import * as fc from 'fast-check';
import { Type, type TSchema } from 'typebox';
import { fitting, nearly } from '@portico/testkit/arbitrary-json.ts';
import { stepwiseCheck } from './check-in-steps.ts';
import { MatrixError } from '../errors/matrix-error.ts';
import { jsonObject, opaque } from './schemas.ts';
import { withStorable } from './storable.ts';
import { checkValid, lazyValidator } from './validate.ts';

const key = Type.Object({ index: Type.Integer({ minimum: 0 }), data: opaque, is: Type.Optional(Type.Boolean()) });
const schemas: Readonly<Record<string, TSchema>> = {
  backup: Type.Object({
    rooms: Type.Record(Type.String(), Type.Object({ sessions: Type.Record(Type.String(), key) })),
  }),
  query: Type.Object({
    device_keys: Type.Record(Type.String(), Type.Array(Type.String())),
    timeout: Type.Optional(Type.Integer()),
  }),
  signatures: Type.Record(Type.String(), Type.Record(Type.String(), jsonObject)),
  list: Type.Array(Type.Object({ a: Type.Array(Type.Integer()) })),
  few: Type.Object({ list: Type.Array(Type.Integer(), { minItems: 1, maxItems: 2 }) }),
  names: Type.Object({ list: Type.Array(Type.String(), { maxItems: 100 }) }),
  plain: Type.Object({ a: Type.String() }),
};

const passes = (check: () => void): boolean => {
  try {
    check();
    return true;
  } catch (error) {
    assert.ok(error instanceof MatrixError, String(error));
    return false;
  }
};

for (const [name, schema] of Object.entries(schemas)) {
  test(`member by member the same is taken as at once: ${name}`, () => {
    const storable = withStorable(schema);
    const whole = lazyValidator(() => storable);
    const inSteps = [1, 2, 64].map((atOnce) => stepwiseCheck(storable, atOnce));
    fc.assert(
      fc.property(fc.oneof(fitting(schema), nearly(schema)), (given) => {
        const value: unknown = JSON.parse(JSON.stringify(given) ?? 'null');
        const expected = passes(() => checkValid(whole(), value, 'request.bad-json'));
        for (const check of inSteps) {
          assert.equal(
            passes(() => runSteps(check(value, 'request.bad-json'))),
            expected,
            JSON.stringify(value),
          );
        }
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 300) },
    );
  });
}

test('what is wrong far inside is named, and others had their turn before', () => {
  const sessions = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`s${n}`, { index: n, data: {} }]));
  const value = { rooms: { '!a': { sessions }, '!b': { sessions: { ...sessions, bad: { index: '1', data: {} } } } } };
  const steps = stepwiseCheck(withStorable(schemas['backup'] as TSchema))(value, 'request.bad-json');
  let count = 0;
  assert.throws(
    () => {
      for (const _ of steps) count++;
    },
    { message: 'rooms/!b/sessions/bad/index: must be integer' },
  );
  assert.ok(count > 20, `${count} steps`);
});

test('nothing in a list that is too long is looked at', () => {
  let looked = 0;
  const list = Array.from({ length: 50_000 }, () => 'name');
  const watched = new Proxy(list, {
    get(target, name) {
      if (typeof name === 'string' && /^\d+$/.test(name)) looked++;
      return Reflect.get(target, name) as unknown;
    },
  });
  const steps = stepwiseCheck(withStorable(schemas['names'] as TSchema))({ list: watched }, 'request.bad-json');
  assert.throws(() => runSteps(steps), { message: 'list: must not have more than 100 items' });
  assert.ok(looked < 1000, `${looked} looks`);
});
