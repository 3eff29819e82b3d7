import { isGlob } from '@portico/protocol/glob.ts';
import { isServerName } from '@portico/protocol/ids/server-name.ts';
import { isUserId } from '@portico/protocol/ids/user-id.ts';

/** What somebody has typed to name people: `undefined` where it names nobody. */
export function readPersonPattern(typed: string): string | undefined {
  const text = typed.trim();
  if (text.startsWith('@')) return isUserId(text) || (isGlob(text) && text.includes(':')) ? text : undefined;
  const server = text.replace(/^\*?:/, '');
  // What is no name of a person is that of a server: all its people are meant.
  return isServerName(server) && server.includes('.') ? `@*:${server}` : undefined;
}

/** The server, all of whose people a pattern means. */
function wholeServer(pattern: string): string | undefined {
  const server = pattern.startsWith('@*:') ? pattern.slice(3) : '';
  return isServerName(server) ? server : undefined;
}

/** Whom an entry means, in words. */
export function describePeople(pattern: string): string {
  if (!isGlob(pattern)) return pattern;
  const server = wholeServer(pattern);
  if (server !== undefined) return `everyone at ${server}`;
  if (['@*:*', '@*', '*'].includes(pattern)) return 'everyone';
  return `everyone whose address fits ${pattern}`;
}

/** The same with the pattern itself beside it, where that is not in the words. */
export function wordsWithPattern(pattern: string): { readonly words: string; readonly note?: string } {
  const words = describePeople(pattern);
  return words.includes(pattern) ? { words } : { words, note: pattern };
}
