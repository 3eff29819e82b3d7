/** Below this, beside each other: the pages lead to each other by their names alone. */
export const oauthPath = '/_portico/client/v1/oauth';

/** "The URI should be short and easy to remember as end users will be asked to manually type it into their user agent." */
export const verificationPath = '/_portico/link';
/** From there. */
export const oauthPagesFromLink = 'client/v1/oauth/';
