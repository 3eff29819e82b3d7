import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';

/** The names that the operator has given to addresses by hand, which come before what name servers say. */
export interface HostsFile {
  /** The addresses of a host; none where it is not in the file. */
  find(host: string): Promise<readonly string[]>;
}

type Options = { readonly path: string; readonly now: () => number };

/** In milliseconds: who asks for many names does not look at the file for each. */
const lookedAtEvery = 1000;

const noNames: ReadonlyMap<string, readonly string[]> = new Map();

export function createHostsFile({ path, now }: Options): HostsFile {
  let names = noNames;
  let version = '';
  let looking: Promise<void> | undefined;
  let lookedAt = -Infinity;

  async function look(): Promise<void> {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const found = `${mtimeMs} ${size} ${ino}`;
      if (found === version) return;
      names = parseHosts(await readFile(path, 'utf8'));
      version = found;
    } catch {
      // No file, or none that may be read, has no names in it: the system goes on to the name servers, too.
      names = noNames;
      version = '';
    } finally {
      lookedAt = now();
    }
  }

  return {
    async find(host) {
      if (now() - lookedAt >= lookedAtEvery) {
        looking ??= look().finally(() => {
          looking = undefined;
        });
        await looking;
      }
      return names.get(host.toLowerCase()) ?? [];
    },
  };
}

/** "IP_address canonical_hostname [aliases...]", and what follows a `#` is a comment (hosts(5)). */
export function parseHosts(text: string): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...aliases] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const alias of aliases) {
      const name = alias.toLowerCase();
      const known = names.get(name);
      if (known === undefined) names.set(name, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return names;
}
