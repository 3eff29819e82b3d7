import type { Endpoint } from '../http/endpoint.ts';
import type { OAuthContext } from './oauth-endpoints.ts';

/** Logging in as OAuth 2.0 has it: loaded only where the operator wants it. */
export async function loadOAuthEndpoints(context: OAuthContext): Promise<readonly Endpoint<object>[]> {
  if (!context.config.oauth.enabled) return [];
  return (await import('./oauth-endpoints.ts')).createOAuthEndpoints(context);
}
