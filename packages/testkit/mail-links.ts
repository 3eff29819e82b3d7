import type { ReceivedMail } from './parse-mail.ts';
import type { TestServer } from './server.ts';

export type PageAnswer = {
  readonly status: number;
  readonly html: string;
  readonly headers: Headers;
  readonly location: string | undefined;
};

/** The first address in the text of an email, as path and query: servers in tests do not know their ports beforehand. */
export function linkIn(mail: ReceivedMail): string {
  const link = /https?:\/\/\S+/.exec(mail.text)?.[0];
  if (link === undefined) throw new Error(`There is no link in ${mail.text}`);
  const { pathname, search } = new URL(link);
  return pathname + search;
}

/** Opens an address as a browser does, without going where it leads. */
export async function openPage(server: TestServer, path: string, method: 'GET' | 'POST' = 'GET'): Promise<PageAnswer> {
  const response = await fetch(server.baseUrl + path, { method, redirect: 'manual' });
  const location = response.headers.get('location') ?? undefined;
  return { status: response.status, html: await response.text(), headers: response.headers, location };
}
