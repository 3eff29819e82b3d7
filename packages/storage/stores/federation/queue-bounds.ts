/**
 * How much waits for a device or a server that fetches nothing, in pieces of 4 KiB, of which each message takes at least one.
 * `unshared`: what is taken whoever it is from. Of what comes when so much waits, a message is taken as long as all that
 * waits, and what has come of it from each of those whom its room is shared among and the message is from, are together less
 * than `most`. So whatever somebody sends, some room is left, and those who have sent less get more of it.
 */
export type QueueBounds = { readonly unshared: number; readonly most: number };

/** Characters. */
export const piece = 4096;
export const queueBounds: QueueBounds = { unshared: 1000, most: 10_000 };
