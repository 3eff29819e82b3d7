import type { Reader } from '@portico/storage';
import { countAliasesBy } from '@portico/storage/stores/directory/room-aliases.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';

/** Of one person, in whatever rooms. Application services make one for each room that they bridge. */
export const maxAliasesOfPerson = 1000;

/** Throws `alias.too-many-of-yours` if somebody may make no more aliases. */
export async function refuseManyAliases(
  reader: Reader,
  { userId, appService }: { readonly userId: string; readonly appService?: object },
): Promise<void> {
  if (appService !== undefined) return;
  if ((await countAliasesBy(reader, userId, maxAliasesOfPerson)) < maxAliasesOfPerson) return;
  throw new MatrixError('alias.too-many-of-yours');
}
