/** A body that is JSON text already, for responses that carry events. */
export class RawJson {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export function rawJson(text: string): RawJson {
  return new RawJson(text);
}

type ReplyOptions = { readonly status?: number; readonly headers?: { readonly [name: string]: string } };

/** A response with a status or headers of its own. */
export class Reply {
  readonly body: unknown;
  readonly status: number;
  readonly headers: { readonly [name: string]: string } | undefined;
  constructor(body: unknown, options: ReplyOptions) {
    this.body = body;
    this.status = options.status ?? 200;
    this.headers = options.headers;
  }
}

export function reply(body: unknown, options: ReplyOptions): Reply {
  return new Reply(body, options);
}
