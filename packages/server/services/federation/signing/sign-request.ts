import { type SigningKey, signText } from '@portico/protocol';
import { requestText, type SignedRequest } from './request-text.ts';
import { formatXMatrix } from './x-matrix.ts';

/** Gives the `Authorization` header by which a request is this server's. */
export type RequestSigner = (request: Omit<SignedRequest, 'origin'> & { readonly destination: string }) => string;

export function createRequestSigner(serverName: string, key: SigningKey): RequestSigner {
  return (request) => {
    const text = requestText({ ...request, origin: serverName });
    return formatXMatrix(serverName, request.destination, key.keyId, signText(key, text));
  };
}
