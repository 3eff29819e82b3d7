import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startTestServer } from '@portico/testkit/server.ts';
import { Type } from 'typebox';
import type { Declaration } from './endpoint.ts';
import { openApiDocument } from './openapi.ts';

const server = await startTestServer({
  settings: {
    OAUTH_ENABLED: 'true',
    LISTENERS: JSON.stringify([{ address: '127.0.0.1', port: 0, serve: ['client', 'federation', 'admin', 'web'] }]),
  },
});

type Operation = {
  readonly operationId: string;
  readonly security: unknown;
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, unknown>> }>>;
  readonly 'x-alternative'?: { $ref: string };
};
type PathItems = Readonly<Record<string, Readonly<Record<string, Operation>>>>;
type Document = {
  readonly openapi: string;
  readonly paths: PathItems;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly title: string }>>;
    readonly pathItems: PathItems;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
};
const { body } = await server.anonymous.get('/_portico/openapi.json');
after(() => server.close());
const document = body as Document;
const operationsOf = (items: PathItems) => Object.values(items).flatMap((item) => Object.values(item));
const operations = [...operationsOf(document.paths), ...operationsOf(document.components.pathItems)];

/** Calls back with every object in a document, and where it is. */
function walk(value: unknown, place: string, visit: (part: Record<string, unknown>, place: string) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Record<string, unknown>, place);
  for (const [key, part] of Object.entries(value)) walk(part, `${place}/${key}`, visit);
}

describe('the OpenAPI document of all that a server can serve', () => {
  test('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(body));
    assert.deepEqual(errors, undefined);
    assert.equal(valid, true);
    assert.equal(document.openapi, '3.1.0');
  });
  test('titles every object, and names it by its title', () => {
    let objects = 0;
    walk({ paths: document.paths, components: document.components }, '#', (part, place) => {
      const types = [part['type']].flat();
      // A property may be called "type" as well.
      if (!types.includes('object') || place.endsWith('/properties')) return;
      objects += 1;
      assert.equal(typeof part['title'], 'string', place);
    });
    assert.ok(objects > 200, `${objects} objects`);
    for (const [name, { title }] of Object.entries(document.components.schemas)) assert.equal(title, name);
  });
  test('refers to nothing that is not there', () => {
    walk(document, '#', ({ $ref: target }, place) => {
      if (typeof target !== 'string') return;
      const [, , section = '', name = ''] = target.split('/');
      const components = document.components as unknown as Record<string, Record<string, unknown>>;
      assert.ok(components[section]?.[name] !== undefined, `${place}: ${target}`);
    });
  });
  test('has every operation ID once', () => {
    const ids = operations.map(({ operationId }) => operationId);
    assert.deepEqual(
      ids.filter((id, index) => ids.indexOf(id) !== index),
      [],
    );
  });
  test('tells the two operations apart that share a path', () => {
    const peek = document.paths['/_matrix/client/v3/events']?.['get'];
    assert.equal(peek?.operationId, 'peekEvents');
    assert.deepEqual(peek['x-alternative'], { $ref: '#/components/pathItems/getEvents' });
    assert.equal(document.components.pathItems['getEvents']?.['get']?.operationId, 'getEvents');
  });
  test('says what is answered where somebody has to confirm what they ask for', async () => {
    const { responses } = document.paths['/_matrix/client/v3/account/password']?.['post'] ?? {};
    const refs = ['ConfirmationNeeded', 'Error'].map((title) => ({ $ref: `#/components/schemas/${title}` }));
    assert.deepEqual(responses?.['401']?.content, { 'application/json': { schema: { anyOf: refs } } });
    assert.equal(document.paths['/_matrix/client/v3/account/whoami']?.['get']?.responses['401'], undefined);
    const alice = await server.registerUser('alice');
    const { status, body: needed } = await alice.post('/_matrix/client/v3/delete_devices', { devices: ['A'] });
    assert.equal(status, 401);
    const schema = document.components.schemas['ConfirmationNeeded'];
    assert.deepEqual(
      Object.keys(needed as object).sort(),
      (schema as unknown as { required: string[] }).required.sort(),
    );
  });
  test('says that pages are pages, refused or not, and that files may be of any type', () => {
    const page = document.paths['/_portico/client/v1/email/submit_token']?.['get'];
    assert.ok(page?.responses['200']?.content['text/html']);
    assert.ok(page.responses['default']?.content['text/html']);
    const file = document.paths['/_portico/client/v1/privacy/export']?.['get'];
    assert.deepEqual(file?.responses['200']?.content, { '*/*': {} });
    assert.deepEqual(Object.keys(file.responses['default']?.content ?? {}), ['application/json']);
  });
  test('says of every operation who may use it', () => {
    const { securitySchemes } = document.components;
    for (const { operationId, security } of operations) {
      assert.ok(Array.isArray(security), operationId);
      for (const scheme of security.flatMap((way) => Object.keys(way as object))) {
        assert.ok(securitySchemes[scheme] !== undefined, `${operationId}: ${scheme}`);
      }
    }
  });
});

describe('a document is refused', () => {
  const declared = (operationId: string, title: string, field: string): Declaration => ({
    method: 'GET',
    path: `/${operationId}${field}`,
    operationId,
    summary: '',
    auth: 'none',
    response: Type.Object({ [field]: Type.String() }, { title }),
  });
  test('where two operations have one ID', () => {
    assert.throws(() => openApiDocument([declared('a', 'A', 'x'), declared('a', 'B', 'y')]), /operation ID a/);
  });
  test('where two different objects have one title', () => {
    assert.throws(() => openApiDocument([declared('a', 'A', 'x'), declared('b', 'A', 'y')]), /title A/);
  });
});
