import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareFields } from './compare-fields.ts';
import { lookAtCoverage } from './look.ts';
import { coverSpec } from './spec-operations.ts';

const nothing = { query: [], body: [], answer: [] };
const operations = [
  { module: 'rooms', operationId: 'joinRoom', method: 'POST', path: '/v3/join/{roomIdOrAlias}', ...nothing },
  { module: 'rooms', operationId: 'leaveRoom', method: 'POST', path: '/v3/rooms/{roomId}/leave', ...nothing },
  {
    module: 'state',
    operationId: 'get',
    method: 'GET',
    path: '/v3/rooms/{roomId}/state/{type}/{stateKey}',
    ...nothing,
  },
];

test('what is served is found by method and path, whatever the parameters are called', () => {
  const served = [
    { method: 'POST', path: '/v3/join/:room' },
    { method: 'GET', path: '/v3/rooms/:roomId/leave' },
    { method: 'GET', path: '/v9/elsewhere', unstablePaths: ['/v3/rooms/:id/state/:type/:key'] },
  ];
  assert.deepEqual(
    coverSpec(operations, served).map(({ module, operations: ofModule }) => [
      module,
      ofModule.map(({ by }) => by?.path),
    ]),
    [
      ['rooms', ['/v3/join/:room', undefined]],
      ['state', ['/v9/elsewhere']],
    ],
  );
});

test('what a declaration lacks is found, in the address, in the body and in the answer', () => {
  const operation = { ...operations[0]!, query: ['via'], body: ['reason', 'signed'], answer: ['room_id', 'more'] };
  const fields = (...names: string[]) => ({ properties: Object.fromEntries(names.map((name) => [name, {}])) });
  const declared = { operationId: 'join', query: fields(), body: fields('reason'), response: fields('room_id') };
  assert.deepEqual(compareFields(operation, declared), ['operation join', 'query via', 'body signed', 'answer more']);
  const either = { anyOf: [fields('reason'), fields('signed')] };
  const full = { operationId: 'joinRoom', query: fields('via', 'other'), body: either, response: fields() };
  assert.deepEqual(compareFields(operation, full), []);
  assert.deepEqual(compareFields(operation, { ...full, body: undefined }), ['body reason', 'body signed']);
});

test('everything that the specification has for clients is served as it says, or there is a reason', () => {
  const wrong = lookAtCoverage()
    .flatMap(({ operations: ofModule }) => ofModule)
    .filter(({ isServed, excuse, lacks }) => (isServed ? lacks.length > 0 : excuse === undefined))
    .map(({ operation, isServed, lacks }) => [operation.operationId, isServed ? lacks : 'missing']);
  assert.deepEqual(wrong, []);
});
