export type TestResponse = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly [field: string]: unknown };
};

/** A refusal as a line: `403 M_FORBIDDEN`. */
export function refusalOf({ status, body }: Pick<TestResponse, 'status' | 'body'>): string {
  return `${status} ${String(body['errcode'])}`;
}

type LoggedIn = { readonly userId: string; readonly accessToken: string; readonly deviceId: string };

export interface TestClient {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  get(path: string): Promise<TestResponse>;
  post(path: string, body?: unknown): Promise<TestResponse>;
  put(path: string, body?: unknown): Promise<TestResponse>;
  delete(path: string, body?: unknown): Promise<TestResponse>;
}

/** Calls a server over HTTP, as one user. Every response must be a JSON object that a web client can read. */
export function createTestClient(baseUrl: string, user?: LoggedIn): TestClient {
  async function request(method: string, path: string, body?: unknown): Promise<TestResponse> {
    const response = await fetch(`${baseUrl}${path}`, {
      method,
      headers: user === undefined ? {} : { authorization: `Bearer ${user.accessToken}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.headers.get('access-control-allow-origin') !== '*') {
      throw new Error(`${method} ${path} was answered without CORS headers`);
    }
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as TestResponse['body'],
    };
  }

  return {
    userId: user?.userId ?? '',
    deviceId: user?.deviceId ?? '',
    accessToken: user?.accessToken ?? '',
    get: (path) => request('GET', path),
    post: (path, body) => request('POST', path, body),
    put: (path, body) => request('PUT', path, body),
    delete: (path, body) => request('DELETE', path, body),
  };
}
