import { matchesGlob } from '../../glob.ts';
import { serverOfGlob } from './sharing-list.ts';

/** Whether a glob can match anybody of a server: any `@localpart:server`, where no localpart has a colon. */
export function canMatchServer(glob: string, server: string): boolean {
  const known = serverOfGlob(glob);
  if (known !== undefined && known !== server) return false;
  if (!/^[@*?]/.test(glob)) return false;
  const domain = `:${server}`;
  for (let index = 0; index < glob.length; index++) {
    const symbol = glob[index];
    // What stands before is for the localpart, from here on is for the domain; a star may be for both.
    const isBoundary = symbol === '*' || (index > 0 && (symbol === ':' || symbol === '?'));
    if (isBoundary && matchesGlob(glob.slice(index), domain)) return true;
    if (symbol === ':') return false;
  }
  return false;
}
