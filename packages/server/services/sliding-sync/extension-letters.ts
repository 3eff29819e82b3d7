import { scopeHash } from './extension-scope.ts';
import { threadsLetter } from './pos.ts';
import type { Scope, SlidingExtensions } from './request.ts';

export const letters = {
  accountData: 'a',
  e2ee: 'e',
  receipts: 'r',
  threadSubscriptions: threadsLetter,
  typing: 't',
} as const;

/** Which extensions are enabled, as letters. To-device messages have a token of their own. */
export function extensionLetters(extensions: SlidingExtensions): string {
  const { accountData, e2ee, receipts, threadSubscriptions, typing } = extensions;
  return (
    scoped(letters.accountData, accountData) +
    (e2ee ? letters.e2ee : '') +
    scoped(letters.receipts, receipts) +
    (threadSubscriptions === undefined ? '' : letters.threadSubscriptions) +
    scoped(letters.typing, typing)
  );
}

function scoped(letter: string, scope: Scope | undefined): string {
  return scope === undefined ? '' : letter + scopeHash(scope);
}

/** Of the streams that live in memory, those that the extensions show, by their letters in tokens. */
export function streamLetters({ typing }: SlidingExtensions): ReadonlySet<string> {
  return typing === undefined ? noLetters : typingLetters;
}

const noLetters: ReadonlySet<string> = new Set();
const typingLetters: ReadonlySet<string> = new Set(['t']);
