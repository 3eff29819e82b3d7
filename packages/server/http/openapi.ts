import { Type, type TSchema } from 'typebox';
import { rawBody, rawBytes } from './bytes.ts';
import { endpoint, type Declaration, type Endpoint } from './endpoint.ts';
import { createObjectSchemas, type ObjectSchemas, schemaRef, titleOf } from './openapi-schemas.ts';
import { isAllOptional } from './optional-body.ts';
import { htmlPage, rawJson } from './result.ts';

type Json = { readonly [key: string]: unknown };

const errorSchema = Type.Object(
  { errcode: Type.String(), error: Type.Optional(Type.String()) },
  { title: 'Error', description: 'https://spec.matrix.org/v1.19/client-server-api/#standard-error-response' },
);
const errorContent = { 'application/json': { schema: schemaRef('Error') } };
const errorResponse = { description: 'Refused.', content: errorContent };
const pageErrorResponse = { description: 'Refused.', content: { ...errorContent, 'text/html': {} } };

const confirmationSchema = Type.Object(
  {
    session: Type.String(),
    flows: Type.Array(Type.Object({ stages: Type.Array(Type.String()) }, { title: 'ConfirmationFlow' })),
    params: Type.Unsafe<Json>({ type: 'object', title: 'ConfirmationParameters' }),
    completed: Type.Optional(Type.Array(Type.String())),
    errcode: Type.Optional(Type.String()),
    error: Type.Optional(Type.String()),
  },
  {
    title: 'ConfirmationNeeded',
    description: 'https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api',
  },
);
const confirmationResponse = {
  description: 'More is needed to know that it is really them, or that their access token is good.',
  content: { 'application/json': { schema: { anyOf: [schemaRef('ConfirmationNeeded'), schemaRef('Error')] } } },
};

type Operation = Pick<Declaration, 'operationId' | 'summary' | 'auth' | 'params' | 'query' | 'body' | 'response'>;

function parameters({ operationId, params, query }: Operation, schemas: ObjectSchemas): Json[] {
  const nameOf = (parameter: string) => titleOf(`${operationId} ${parameter}`);
  const inPath = Object.entries(params?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: schemas.place(schema, nameOf(name)),
  }));
  const required: readonly string[] = query?.required ?? [];
  const inQuery = Object.entries(query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: schemas.place(schema, nameOf(name)),
  }));
  return [...inPath, ...inQuery];
}

/** {@link https://spec.openapis.org/oas/v3.1.1.html#media-type-object} Raw bytes have no schema, and may be of any type. */
function content(schema: TSchema, name: string, schemas: ObjectSchemas): Json {
  if (schema === rawBody || schema === rawBytes) return { '*/*': {} };
  if (schema === htmlPage) return { 'text/html': {} };
  return { 'application/json': { schema: schemas.place(schema, titleOf(name)) } };
}

const security = {
  none: [],
  optional: [{}, { accessToken: [] }],
  anyone: [{}, { accessToken: [] }],
  user: [{ accessToken: [] }],
  admin: [{ administratorToken: [] }],
  server: [{ signedRequest: [] }],
  'app-service': [{ appServiceToken: [] }],
  'optional-app-service': [{}, { appServiceToken: [] }],
} as const;

const securitySchemes = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The access token of a device, or of an application service that acts as a user.',
  },
  administratorToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The access token of an administrator; one that came by OAuth 2.0 has to have the scope `urn:synapse:admin:*`.',
  },
  appServiceToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The as_token of the registration of an application service.',
  },
  signedRequest: {
    type: 'http',
    scheme: 'X-Matrix',
    description: 'https://spec.matrix.org/v1.19/server-server-api/#request-authentication',
  },
} as const;

/** Whether it may have to be said again who asks, as part of the request. */
function isConfirmed(body: TSchema | undefined): boolean {
  return body !== undefined && 'properties' in body && Object.hasOwn(body.properties as object, 'auth');
}

function operation(described: Operation, operationId: string, schemas: ObjectSchemas): Json {
  const { summary, auth, body, response } = described;
  return {
    operationId,
    summary,
    security: security[auth],
    parameters: parameters(described, schemas),
    ...(body !== undefined && {
      requestBody: {
        required: body !== rawBody && !isAllOptional(body),
        content: content(body, `${described.operationId} request`, schemas),
      },
    }),
    responses: {
      200: { description: 'Done.', content: content(response, `${described.operationId} response`, schemas) },
      ...(isConfirmed(body) && { 401: confirmationResponse }),
      default: response === htmlPage ? pageErrorResponse : errorResponse,
    },
  };
}

/** What a set of endpoints looks like to tools that read OpenAPI 3.1. */
export function openApiDocument(declarations: readonly Declaration[]): Json {
  const schemas = createObjectSchemas();
  schemas.place(errorSchema, 'Error');
  schemas.place(confirmationSchema, 'ConfirmationNeeded');
  const paths: Record<string, Record<string, Json>> = {};
  const pathItems: Record<string, Json> = {};
  const operationIds = new Set<string>();
  const take = (operationId: string): string => {
    if (operationIds.has(operationId)) throw new Error(`Two endpoints have the operation ID ${operationId}`);
    operationIds.add(operationId);
    return operationId;
  };
  for (const declaration of declarations) {
    const { path, unstablePaths = [], alternative } = declaration;
    const method = declaration.method.toLowerCase();
    const besides = alternative && { 'x-alternative': { $ref: `#/components/pathItems/${alternative.operationId}` } };
    for (const [index, served] of [path, ...unstablePaths].entries()) {
      const operationId = take(`${declaration.operationId}${index === 0 ? '' : `Unstable${index}`}`);
      const template = served.replaceAll(/:(\w+)/g, '{$1}');
      (paths[template] ??= {})[method] = { ...operation(declaration, operationId, schemas), ...besides };
    }
    if (alternative === undefined) continue;
    const operationId = take(alternative.operationId);
    pathItems[operationId] = { [method]: operation({ ...declaration, ...alternative }, operationId, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Portico', version: '0.1.0', description: 'What this homeserver serves.' },
    paths,
    components: { schemas: schemas.all(), pathItems, securitySchemes },
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
