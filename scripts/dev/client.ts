/** One example person's view of the server. Every call must succeed. */
export type Person = {
  readonly userId: string;
  call(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Readonly<Record<string, string>>>;
  /** The same below another version than `v3`. */
  callBelow(version: 'v1', method: 'GET', path: string): Promise<Readonly<Record<string, string>>>;
  say(roomId: string, content: Readonly<Record<string, unknown>>): Promise<string>;
  upload(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<string>;
  /** Of an `mxc://` URI. */
  download(uri: string): Promise<Buffer>;
  /** A smaller picture of the one at an `mxc://` URI. */
  thumbnail(uri: string, size: string): Promise<Buffer>;
};

let transactions = 0;

export function personAt(baseUrl: string, userId: string, token: string): Person {
  const authorization = `Bearer ${token}`;

  async function send(path: string, init: RequestInit): Promise<Readonly<Record<string, string>>> {
    const answer = await fetch(`${baseUrl}/_matrix/${path}`, init);
    const body = (await answer.json()) as Record<string, string>;
    if (!answer.ok) throw new Error(`${init.method} ${path}: ${answer.status} ${JSON.stringify(body)}`);
    return body;
  }

  function call(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, string>>> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    return send(`client/v3/${path}`, { method, headers: { authorization }, ...text });
  }

  async function fetchMedia(path: string): Promise<Buffer> {
    let answer = await fetch(`${baseUrl}/_matrix/client/v1/media/${path}`, { headers: { authorization } });
    // Servers of before version 1.11 of the specification have it where everybody gets it.
    if (answer.status === 404 && (await answer.clone().text()).includes('M_UNRECOGNIZED')) {
      answer = await fetch(`${baseUrl}/_matrix/media/v3/${path}`);
    }
    if (!answer.ok) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  return {
    userId,
    call,
    callBelow: (version, method, path) => send(`client/${version}/${path}`, { method, headers: { authorization } }),
    async say(roomId, content) {
      const path = `rooms/${encodeURIComponent(roomId)}/send/m.room.message/dev-${Date.now()}-${transactions++}`;
      return (await call('PUT', path, content))['event_id'] ?? '';
    },
    async upload(bytes, contentType) {
      const headers = { authorization, 'content-type': contentType };
      const { content_uri: uri } = await send('media/v3/upload', { method: 'POST', headers, body: bytes });
      return uri ?? '';
    },
    download: (uri) => fetchMedia(`download/${uri.slice('mxc://'.length)}`),
    thumbnail: (uri, size) => fetchMedia(`thumbnail/${uri.slice('mxc://'.length)}?${size}`),
  };
}

/** Registers a person, or logs them in if they are there. */
export async function enter(
  baseUrl: string,
  name: string,
  password: string,
): Promise<{ person: Person; isNew: boolean }> {
  const post = async (path: string, body: unknown) => {
    const answer = await fetch(`${baseUrl}/_matrix/client/v3/${path}`, { method: 'POST', body: JSON.stringify(body) });
    return { ok: answer.ok, body: (await answer.json()) as Record<string, string> };
  };
  const made = await post('register', { username: name, password, auth: { type: 'm.login.dummy' } });
  const identifier = { type: 'm.id.user', user: name };
  const session = made.ok ? made : await post('login', { type: 'm.login.password', identifier, password });
  const { user_id: userId, access_token: token } = session.body;
  if (userId === undefined || token === undefined)
    throw new Error(`${name} cannot enter: ${JSON.stringify(session.body)}`);
  return { person: personAt(baseUrl, userId, token), isNew: made.ok };
}
