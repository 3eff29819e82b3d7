/** How far ahead an event can be left with the server, in milliseconds. */
export const maxDelay = 24 * 60 * 60 * 1000;

/** How many one person can have waiting. */
export const maxScheduled = 100;
