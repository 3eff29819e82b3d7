export type BaseUrl = {
  /** Where clients reach the server from outside. */
  readonly publicBaseUrl: string;
};

/** What `/.well-known/matrix/client` and the answer to a login say. */
export function clientWellKnown({ publicBaseUrl }: BaseUrl): { 'm.homeserver': { base_url: string } } {
  return { 'm.homeserver': { base_url: publicBaseUrl.replace(/\/+$/, '') } };
}
