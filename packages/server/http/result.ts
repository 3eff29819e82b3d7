import { Type } from 'typebox';

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

/** Declares that an endpoint answers a browser with a page. */
export const htmlPage = Type.Unsafe<never>({ type: 'string', contentMediaType: 'text/html' });

type PageOptions = {
  readonly status?: number;
  /** Where the browser goes instead of showing it. */
  readonly location?: string;
  /** What the browser is to keep, as the header `Set-Cookie` says it. */
  readonly cookie?: string;
  /** Further origins, or schemes, to which a form of the page may lead. */
  readonly formTargets?: readonly string[];
  /** The one script that is in the page, as it is there. */
  readonly script?: string;
};

/** A whole HTML document, for people who come with a browser. */
export class Page {
  readonly html: string;
  readonly options: PageOptions;
  constructor(html: string, options: PageOptions) {
    this.html = html;
    this.options = options;
  }
}

export function page(html: string, options: PageOptions = {}): Page {
  return new Page(html, options);
}

export function reply(body: unknown, options: ReplyOptions): Reply {
  return new Reply(body, options);
}
