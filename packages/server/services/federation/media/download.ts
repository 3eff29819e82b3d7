import type { ServerName } from '@portico/protocol';
import { downloadLegacyMedia, downloadMedia } from '../../../federation-api/media.ts';
import { fetchUrl } from '../../outbound/fetch-url.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { headerText } from '../../outbound/read-body.ts';
import type { FederationClient } from '../client/federation-client.ts';
import { FederationError } from '../client/federation-error.ts';
import { fileNameIn } from './file-name.ts';
import { boundaryOf, readFilePart } from './read-multipart.ts';

export type DownloadedFile = {
  readonly contentType: string | undefined;
  readonly name: string | undefined;
  readonly chunks: AsyncIterable<Uint8Array>;
};

export type Download = (origin: ServerName, mediaId: string, timeoutMs: number) => Promise<DownloadedFile>;

type Dependencies = { readonly client: FederationClient; readonly outbound: Outbound; readonly mostBytes: number };

/** For what surrounds the file in its answer. */
const wrapping = 128 * 1024;
const timeout = 10 * 60_000;

/** Opens a file of another server, signed for, or the old way where the server does not know that yet. */
export function createDownload({ client, outbound, mostBytes }: Dependencies): Download {
  const limits = { answerLimit: mostBytes + wrapping, timeout };

  async function open(origin: ServerName, mediaId: string, timeoutMs: number): Promise<DownloadedFile> {
    const answer = await client.open(
      downloadMedia,
      origin,
      { params: { mediaId }, query: { timeout_ms: timeoutMs } },
      limits,
    );
    const boundary = boundaryOf(headerText(answer.headers, 'content-type'));
    if (boundary === undefined) {
      answer.discard();
      throw new FederationError('bad-answer', `${origin} gave a file in another form than was asked for`);
    }
    const { headers, chunks } = await readFilePart(answer.chunks, boundary);
    const location = headers.get('location');
    if (location === undefined) return describe((name) => headers.get(name), chunks);
    answer.discard();
    const elsewhere = await fetchUrl(outbound, location, { ...limits, purpose: 'media-location' });
    return describe((name) => headerText(elsewhere.headers, name) ?? headers.get(name), elsewhere.chunks);
  }

  async function openLegacy(origin: ServerName, mediaId: string, timeoutMs: number): Promise<DownloadedFile> {
    const params = { serverName: origin, mediaId };
    const query = { timeout_ms: timeoutMs, allow_remote: false };
    const answer = await client.open(downloadLegacyMedia, origin, { params, query }, limits);
    return describe((name) => headerText(answer.headers, name), answer.chunks);
  }

  return async (origin, mediaId, timeoutMs) => {
    try {
      return await open(origin, mediaId, timeoutMs);
    } catch (error) {
      if (!isUnknownEndpoint(error)) throw error;
      return openLegacy(origin, mediaId, timeoutMs);
    }
  };
}

function describe(header: (name: string) => string | undefined, chunks: AsyncIterable<Uint8Array>): DownloadedFile {
  return { contentType: header('content-type'), name: fileNameIn(header('content-disposition')), chunks };
}

/** As servers answer that do not know the endpoint, and other programs that know nothing of Matrix. */
function isUnknownEndpoint(error: unknown): boolean {
  const refusal = error instanceof FederationError ? error.refusal : undefined;
  if (refusal === undefined) return false;
  return refusal.errcode === 'M_UNRECOGNIZED' || (refusal.status < 500 && refusal.errcode === undefined);
}
