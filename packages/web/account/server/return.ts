import { keepErrand } from './errand.ts';

/** What the browser keeps for the page while somebody logs in elsewhere, and where the page is. */
export type Place = {
  readonly address: URL;
  /** Shows another address for the page that is there. */
  show(address: URL): void;
  /** Of this window alone. */
  readonly memory: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  random(): string;
};

/** How somebody is back who went to log in elsewhere. */
export type Return =
  | { readonly kind: 'token'; readonly token: string }
  /** Nobody went from here: whoever made the address wants somebody to be logged in as another. */
  | { readonly kind: 'stray' };

const key = 'portico-log-in';
const mark = 'login';

/** Where the server is to lead back to, which is good for this window once. */
export function expectReturn({ address, memory, random }: Place): URL {
  const value = memory.getItem(key) ?? random();
  memory.setItem(key, value);
  const back = new URL(address);
  back.search = new URLSearchParams({ [mark]: value }).toString();
  keepErrand(address, back);
  back.hash = '';
  return back;
}

/** Takes a token out of the address of the page, and out of the history of the browser. */
export function takeReturn({ address, show, memory }: Place): Return | undefined {
  const token = address.searchParams.get('loginToken');
  if (token === null) return undefined;
  const expected = memory.getItem(key);
  const isExpected = expected !== null && address.searchParams.get(mark) === expected;
  memory.removeItem(key);
  const clean = new URL(address);
  clean.search = '';
  show(clean);
  return isExpected ? { kind: 'token', token } : { kind: 'stray' };
}
