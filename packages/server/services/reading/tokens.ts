import { ORDER_PER_POSITION } from '@portico/storage/stores/events/event-row.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { parsePos } from '../sliding-sync/pos.ts';
import { parseSyncToken } from '../sync/token.ts';

/**
 * A place between two events of a room: `t1_` and the order of the last event before it. What `/sync` hands out is
 * a place in every room.
 */
export function formatPlace(order: number): string {
  return `t1_${order}`;
}

const placeFormat = /^t1_(0|-1|[1-9][0-9]{0,15})$/;

/** Throws `request.invalid-param` for what no endpoint of this server hands out. */
export function parsePlace(token: string, parameter: string): number {
  const order = placeFormat.exec(token)?.[1];
  if (order !== undefined) return Number(order);
  const sync = parseSyncToken(token) ?? parsePos(token)?.token;
  if (sync !== undefined) return endOfPosition(sync.position);
  throw new MatrixError('request.invalid-param', { message: `'${parameter}' is not a token of this server.` });
}

/** The same for what may be left out. Programs that start anew send an empty one as well. */
export function parsePlaceIfGiven(token: string | undefined, parameter: string): number | undefined {
  return token === undefined || token === '' ? undefined : parsePlace(token, parameter);
}

/** The last position whose events lie before a place, or at it. */
export function positionAt(order: number): number {
  return Math.floor(order / ORDER_PER_POSITION);
}

/** The last place in a room's order that a position has: what came later lies behind it. */
export function endOfPosition(position: number): number {
  return position * ORDER_PER_POSITION;
}
