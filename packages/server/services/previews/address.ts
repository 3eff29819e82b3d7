import { compileGlob, type GlobMatcher } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';

export type HostRules = {
  /** Nothing else, where there are any. Globs. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
};

/** Throws `preview.bad-url` or `preview.host-refused` where the server should not look. */
export type CheckAddress = (url: URL) => void;

const longest = 2048;
/** Below these are services of other kinds, which a request could speak to as well. */
const firstFreePort = 1024;

/** Which addresses are looked at. Holds for where they lead, too. */
export function createCheckAddress({ allow, deny }: HostRules): CheckAddress {
  const allowed = allow.map(hostMatcher);
  const denied = deny.map(hostMatcher);
  return ({ protocol, hostname, port, href, username, password }) => {
    const isWeb = (protocol === 'http:' || protocol === 'https:') && username === '' && password === '';
    // The usual port of a protocol is the empty text.
    const isUsualPort = port === '' || port === '80' || port === '443' || Number(port) >= firstFreePort;
    if (!isWeb || !isUsualPort || hostname === '' || href.length > longest) throw new MatrixError('preview.bad-url');
    const host = hostname.replace(/\.$/, '');
    const matches = (isHost: GlobMatcher) => isHost(host);
    if (denied.some(matches) || (allowed.length > 0 && !allowed.some(matches))) {
      throw new MatrixError('preview.host-refused');
    }
  };
}

function hostMatcher(pattern: string): GlobMatcher {
  return compileGlob(pattern, { ignoreCase: true });
}

/** The address that somebody has asked for, as it is looked up. */
export function parseAddress(text: string, check: CheckAddress): URL {
  const url = URL.parse(text);
  if (url === null) throw new MatrixError('preview.bad-url');
  check(url);
  url.hash = '';
  return url;
}
