import { Type, type TObject, type TSchema } from 'typebox';
import { rawBody, rawBytes } from './bytes.ts';
import { endpoint, type Declaration, type Endpoint } from './endpoint.ts';
import { rawJson } from './result.ts';

type Json = { readonly [key: string]: unknown };

const errorResponse = { description: 'Refused.', content: { 'application/json': { schema: ref('Error') } } };

function ref(title: string): Json {
  return { $ref: `#/components/schemas/${title}` };
}

/** Moves titled schemas to where the document names them once. */
function collect(schema: unknown, components: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => collect(part, components));
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.entries(schema).map(([key, value]) => [key, collect(value, components)] as const);
  const copy: Json = Object.fromEntries(parts);
  const title = copy['title'];
  if (typeof title !== 'string') return copy;
  const known = components.get(title);
  if (known !== undefined && JSON.stringify(known) !== JSON.stringify(copy)) {
    throw new Error(`Two different schemas have the title ${title}`);
  }
  components.set(title, copy);
  return ref(title);
}

function requiredOf(schema: TObject | undefined): readonly string[] {
  return schema?.required ?? [];
}

function parameters({ params, query }: Declaration, collected: (schema: TSchema) => unknown): Json[] {
  const inPath = Object.entries(params?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: collected(schema),
  }));
  const inQuery = Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: requiredOf(query).includes(name),
    schema: collected(schema),
  }));
  return [...inPath, ...inQuery];
}

/** {@link https://spec.openapis.org/oas/v3.1.1.html#media-type-object} Raw bytes have no schema. */
function content(schema: TSchema, collected: (schema: TSchema) => unknown): Json {
  if (schema === rawBody || schema === rawBytes) return { 'application/octet-stream': {} };
  return { 'application/json': { schema: collected(schema) } };
}

const security = {
  optional: [{}, { accessToken: [] }],
  user: [{ accessToken: [] }],
  admin: [{ accessToken: [] }],
  server: [{ signedRequest: [] }],
  'app-service': [{ appServiceToken: [] }],
  'optional-app-service': [{}, { appServiceToken: [] }],
} as const;

function operation(declaration: Declaration, operationId: string, components: Map<string, unknown>): Json {
  const { summary, auth, body, response } = declaration;
  const collected = (schema: TSchema): unknown => collect(schema, components);
  return {
    operationId,
    summary,
    ...(auth === 'none' ? {} : { security: security[auth] }),
    parameters: parameters(declaration, collected),
    ...(body === undefined ? {} : { requestBody: { content: content(body, collected) } }),
    responses: {
      200: { description: 'Done.', content: content(response, collected) },
      default: errorResponse,
    },
  };
}

/** What a set of endpoints looks like to tools that read OpenAPI 3.1. */
export function openApiDocument(declarations: readonly Declaration[]): Json {
  const components = new Map<string, unknown>([
    [
      'Error',
      {
        title: 'Error',
        type: 'object',
        required: ['errcode'],
        properties: { errcode: { type: 'string' }, error: { type: 'string' } },
      },
    ],
  ]);
  const paths: Record<string, Record<string, Json>> = {};
  const operationIds = new Set<string>();
  for (const declaration of declarations) {
    const { method, path, unstablePaths = [] } = declaration;
    for (const [index, served] of [path, ...unstablePaths].entries()) {
      const operationId = `${declaration.operationId}${index === 0 ? '' : `Unstable${index}`}`;
      if (operationIds.has(operationId)) throw new Error(`Two endpoints have the operation ID ${operationId}`);
      operationIds.add(operationId);
      const template = served.replaceAll(/:(\w+)/g, '{$1}');
      (paths[template] ??= {})[method.toLowerCase()] = operation(declaration, operationId, components);
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Portico', version: '0.1.0', description: 'What this homeserver serves.' },
    paths,
    components: {
      schemas: Object.fromEntries(components),
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer' },
        appServiceToken: { type: 'http', scheme: 'bearer' },
        signedRequest: { type: 'http', scheme: 'X-Matrix' },
      },
    },
  };
}

/** `GET /_portico/openapi.json` about `described` and itself. The document is made when somebody asks. */
export function openApiEndpoint(described: readonly Pick<Endpoint<never>, 'declaration'>[]): Endpoint<object> {
  let document: ReturnType<typeof rawJson> | undefined;
  const self: Endpoint<object> = endpoint(
    {
      method: 'GET',
      path: '/_portico/openapi.json',
      operationId: 'getOpenApiDocument',
      summary: 'Describes what this server serves, as OpenAPI 3.1.',
      auth: 'none',
      response: Type.Unsafe<Json>({ type: 'object', title: 'OpenApiDocument' }),
    },
    () => () => {
      document ??= rawJson(JSON.stringify(openApiDocument([...described, self].map(({ declaration }) => declaration))));
      return document;
    },
  );
  return self;
}
