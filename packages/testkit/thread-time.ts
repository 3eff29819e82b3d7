/** A limit on this says something of the code on a machine that is busy, too. */
export { threadTime } from '@portico/server/services/thread-time.ts';
