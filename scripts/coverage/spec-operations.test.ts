import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverSpec } from './spec-operations.ts';

const operations = [
  { module: 'rooms', operationId: 'joinRoom', method: 'POST', path: '/v3/join/{roomIdOrAlias}' },
  { module: 'rooms', operationId: 'leaveRoom', method: 'POST', path: '/v3/rooms/{roomId}/leave' },
  { module: 'state', operationId: 'getState', method: 'GET', path: '/v3/rooms/{roomId}/state/{type}/{stateKey}' },
];

test('what is served is found by method and path, whatever the parameters are called', () => {
  const covered = coverSpec(operations, [
    { method: 'POST', path: '/v3/join/:room' },
    { method: 'GET', path: '/v3/rooms/:roomId/leave' },
    { method: 'GET', path: '/v9/elsewhere', unstablePaths: ['/v3/rooms/:id/state/:type/:key'] },
  ]);
  assert.deepEqual(
    covered.map(({ module, served, missing }) => [
      module,
      served.length,
      missing.map(({ operationId }) => operationId),
    ]),
    [
      ['rooms', 1, ['leaveRoom']],
      ['state', 1, []],
    ],
  );
});
