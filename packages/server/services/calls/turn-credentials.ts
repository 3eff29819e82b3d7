import { createHmac } from 'node:crypto';

export type TurnServer = {
  readonly uris: readonly string[];
  /** What the TURN server checks credentials with. */
  readonly shared_secret: string;
  /** How long credentials are good, in seconds; a day if absent. */
  readonly lifetime?: number;
};

export type TurnCredentials = {
  readonly username: string;
  readonly password: string;
  readonly uris: readonly string[];
  /** In seconds. */
  readonly ttl: number;
};

const day = 24 * 3600;

/**
 * Credentials that the TURN server can check by itself: the moment at which they end, and a MAC over that.
 *
 * {@link https://datatracker.ietf.org/doc/html/draft-uberti-behave-turn-rest-00}
 */
export function turnCredentials(server: TurnServer, userId: string, now: number): TurnCredentials {
  const { uris, shared_secret: secret, lifetime: ttl = day } = server;
  const username = `${Math.floor(now / 1000) + ttl}:${userId}`;
  const password = createHmac('sha1', secret).update(username, 'utf8').digest('base64');
  return { username, password, uris, ttl };
}
