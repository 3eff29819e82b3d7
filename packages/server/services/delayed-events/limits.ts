/** How far ahead an event can be left with the server, in milliseconds. */
export const maxDelay = 24 * 60 * 60 * 1000;

/** How many one person can have waiting. */
export const maxScheduled = 100;

/** "The recommended strategy is to retain finalised events for up to 7 days or 1000 events per user, whichever occurs first." */
export const keptFor = 7 * 24 * 60 * 60 * 1000;
export const keptPerUser = 200;
