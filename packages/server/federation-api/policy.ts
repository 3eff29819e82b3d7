import { operation } from './operation.ts';
import { anyObject, pdu } from './pdu.ts';

/** Asked of the policy server of a room; this server is none. */
export const askPolicyServerToSign = operation({
  method: 'POST',
  path: '/_matrix/policy/v1/sign',
  operationId: 'askPolicyServerToSign',
  summary: 'Asks the policy server to sign an event.',
  auth: 'server',
  body: pdu,
  response: anyObject,
  // A signature.
  answerLimit: 64 * 1024,
  // Somebody waits for their message to be sent.
  timeout: 10_000,
});
