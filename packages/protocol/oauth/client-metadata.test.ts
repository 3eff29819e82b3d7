import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../json/value.ts';
import { parseClientMetadata } from './client-metadata.ts';

const web: JsonObject = {
  client_name: 'My App',
  client_uri: 'https://example.com/',
  redirect_uris: ['https://app.example.com/callback'],
  token_endpoint_auth_method: 'none',
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
  application_type: 'web',
};

function metadataOf(given: JsonObject) {
  const decision = parseClientMetadata(given);
  assert.equal(decision.kind, 'ok', JSON.stringify(decision));
  return decision.metadata;
}

function ruleOf(given: JsonObject): string | undefined {
  const decision = parseClientMetadata({ ...web, ...given });
  return decision.kind === 'ok' ? undefined : decision.rule;
}

test('the example of the specification is registered without what is not known here', () => {
  const given = {
    ...web,
    'client_name#fr': 'Mon application',
    logo_uri: 'https://example.com/logo.png',
    tos_uri: 'https://example.com/tos.html',
    'tos_uri#fr': 'https://example.com/fr/tos.html',
    policy_uri: 'https://example.com/policy.html',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:token-exchange'],
  };
  assert.deepEqual(metadataOf(given), {
    ...web,
    logo_uri: 'https://example.com/logo.png',
    tos_uri: 'https://example.com/tos.html',
    policy_uri: 'https://example.com/policy.html',
  });
});

test('what is left out has the values that the standards give it', () => {
  assert.deepEqual(metadataOf({ client_uri: 'https://example.com', redirect_uris: ['https://example.com/'] }), {
    application_type: 'web',
    client_uri: 'https://example.com/',
    grant_types: ['authorization_code'],
    redirect_uris: ['https://example.com/'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  });
});

test('a client without a browser needs no address to be led back to', () => {
  const device = 'urn:ietf:params:oauth:grant-type:device_code';
  const { redirect_uris: uris, response_types: types } = metadataOf({
    client_uri: 'https://example.com/',
    grant_types: [device, 'refresh_token'],
    response_types: [],
  });
  assert.deepEqual([uris, types], [[], []]);
});

test('what a client cannot be registered as is refused', () => {
  for (const [given, rule] of [
    [{ client_uri: 'http://example.com/' }, 'client_uri'],
    [{ client_uri: 7 }, 'client_uri'],
    [{ client_uri: null }, 'client_uri'],
    [{ application_type: 'browser' }, 'application_type'],
    [{ token_endpoint_auth_method: 'client_secret_basic' }, 'token_endpoint_auth_method'],
    [{ grant_types: ['implicit'] }, 'grant_types'],
    [{ grant_types: [] }, 'grant_types'],
    [{ grant_types: 'authorization_code' }, 'grant_types'],
    [{ response_types: ['token'] }, 'response_types'],
    [{ response_types: 'code' }, 'response_types'],
    [{ redirect_uris: [] }, 'redirect_uris'],
    [{ redirect_uris: 'https://example.com/' }, 'redirect_uris'],
    [{ redirect_uris: ['https://example.com/', 7] }, 'redirect_uris'],
    [{ redirect_uris: Array.from({ length: 17 }, () => 'https://example.com/') }, 'redirect_uris'],
    [{ redirect_uris: ['https://example.com/', 'https://evil.test/'] }, 'redirect_uri.host'],
    [{ redirect_uris: ['http://localhost/'] }, 'redirect_uri.scheme'],
    [{ client_name: '' }, 'client_name'],
    [{ client_name: ' ' }, 'client_name'],
    [{ client_name: ['App'] }, 'client_name'],
    [{ client_name: 'x'.repeat(101) }, 'client_name'],
    [{ client_name: 'App\nas an administrator' }, 'client_name'],
    [{ client_name: 'App \u202enimda' }, 'client_name'],
    [{ client_name: 'App \ud800' }, 'client_name'],
  ] as const) {
    assert.equal(ruleOf(given), rule, JSON.stringify(given));
  }
});

test('documents of somebody else are left out', () => {
  const {
    logo_uri: logo,
    policy_uri: policy,
    tos_uri: terms,
  } = metadataOf({
    ...web,
    logo_uri: 'https://elsewhere.test/logo.png',
    policy_uri: 'javascript:alert(1)',
    tos_uri: 'https://user@example.com/terms',
  });
  assert.deepEqual([logo, policy, terms], [undefined, undefined, undefined]);
});
