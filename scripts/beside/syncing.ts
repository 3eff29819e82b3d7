import type { Person } from '../dev/client.ts';
import { until } from './until.ts';

export type Sync = {
  readonly next_batch: string;
  readonly to_device?: { readonly events?: readonly { readonly type: string; readonly content: unknown }[] };
  readonly presence?: { readonly events?: readonly (Ephemeral & { readonly sender: string })[] };
  readonly rooms?: {
    readonly join?: Readonly<Record<string, { readonly ephemeral?: { readonly events?: readonly Ephemeral[] } }>>;
  };
};
export type Ephemeral = { readonly type: string; readonly content: Readonly<Record<string, unknown>> };

/** Syncs until an answer has what is looked for. */
export async function sees<T>(person: Person, what: string, find: (sync: Sync) => T | undefined): Promise<T> {
  let since = '';
  return until(`${person.userId} sees ${what}`, async () => {
    const sync = (await person.call('GET', `sync?timeout=1000${since}`)) as unknown as Sync;
    since = `&since=${encodeURIComponent(sync.next_batch)}`;
    return find(sync);
  });
}
