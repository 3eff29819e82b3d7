import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportSections } from '@portico/storage/stores/privacy/export-sections.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { personColumn } from './person-column.ts';

/** What is no part of an export, and why. */
const leftOut: Readonly<Record<string, string>> = {
  access_tokens: 'secrets',
  refresh_tokens: 'secrets',
  login_tokens: 'secrets',
  openid_tokens: 'secrets',
  sso_logins: 'that somebody logs in by way of another service, for minutes',
  oauth_requests: 'that somebody is asked whether an app gets in, for minutes',
  oauth_codes: 'secrets',
  oauth_device_grants: 'secrets',
  relations: 'as the events, which are in a file of their own',
  sticky_events: 'as the events, for as long as they are sticky',
  read_markers: 'counted from receipts and what the person said',
  unread_exceptions: 'counted from push rules, for events of others',
  unread_modes: 'as push rules, which are account data',
  custom_rule_members: 'as push rules',
  push_queue: 'what others said, until it has been pushed',
  stripped_states: 'what others show of their rooms',
  directory_users: 'as the profile, and names in public rooms',
  directory_words: 'as the profile, and names in public rooms',
  app_service_members: 'as memberships',
  server_notice_rooms: 'as memberships',
  device_lists: 'that devices have changed, for who knows them',
  remote_device_lists: "of other servers' people",
  stored_edu_hosts: 'what other servers still have to be told',
  to_device_transactions: 'that a request was made, for a while',
  sliding_connections: 'how far a client has come, for a while',
  app_services: 'programs, with what they may do',
  erasures: 'of who is gone',
};

test('what is kept of a person is in the export, or there is a reason why not', async () => {
  const server = await startTestServer();
  await server.stop();
  const raw = await openRawDatabase(server.databaseUrl);
  const columns = await raw.columns();
  await raw.close();
  await server.close();
  const exported = new Set(['events']);
  for (const { statement } of exportSections) {
    for (const [, table = ''] of statement.text.matchAll(/\b(?:from|join) (\w+)/g)) exported.add(table);
  }
  const personal = new Set(columns.filter(({ column }) => personColumn.test(column)).map(({ table }) => table));
  assert.deepEqual(
    [...personal].filter((table) => !exported.has(table) && !(table in leftOut)),
    [],
  );
  assert.deepEqual(
    Object.keys(leftOut).filter((table) => exported.has(table) || !personal.has(table)),
    [],
  );
});
