/** Below this, beside each other: the pages lead to each other by their names alone. */
export const oauthPath = '/_portico/client/v1/oauth';
