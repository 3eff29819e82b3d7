import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { adminEndpoints } from '../../packages/server/http/admin/index.ts';
import { clientEndpoints } from '../../packages/server/http/client/index.ts';
import { oauthEndpoints } from '../../packages/server/http/client/oauth/index.ts';
import { rendezvousEndpoints } from '../../packages/server/http/client/rendezvous/index.ts';
import { webEndpoints } from '../../packages/server/http/web/index.ts';
import { federationEndpoints, roomFederationEndpoints } from '../../packages/server/http/federation/index.ts';

/** Endpoints whose only answer is a refusal: media without a token, where servers want one, and whatever takes a phone number. */
const refusing = new Set<string>([
  'getContent',
  'getContentThumbnail',
  'requestTokenTo3PIDMSISDN',
  'requestTokenToResetPasswordMSISDN',
  'requestTokenToRegisterMSISDN',
]);

/** The endpoints that no test had an answer from, after a run whose servers noted theirs in the folder. */
export function findUnexercised(folder: string): readonly string[] {
  const answered = new Set(readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n')));
  return [
    ...clientEndpoints,
    ...oauthEndpoints,
    ...rendezvousEndpoints,
    ...adminEndpoints,
    ...federationEndpoints,
    ...roomFederationEndpoints,
    ...webEndpoints,
  ]
    .map(({ declaration }) => declaration.operationId)
    .filter((operationId) => !answered.has(operationId) && !refusing.has(operationId));
}
