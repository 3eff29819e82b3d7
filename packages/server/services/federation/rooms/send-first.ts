import type { ServerName } from '@portico/protocol';

/**
 * Whoever is asked for what a membership is to follow answers from what they have got. Waits until a server has been sent what
 * this one has committed in a room: somebody who has just left it, and comes again, would leave again when that arrives. Not for
 * long, and whether or not the server takes it.
 */
export type SendFirst = (host: ServerName, roomId: string) => Promise<void>;

/** For one person's request, for which several servers may be asked: they are all together not waited for for long either. */
export type BeginSendFirst = () => SendFirst;
