import { type Fetched, fetchUrl } from '../outbound/fetch-url.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { CheckAddress } from './address.ts';

type Dependencies = {
  readonly outbound: Outbound;
  readonly check: CheckAddress;
  readonly acceptLanguage: string;
  /** Milliseconds for a page or an image, redirects included. */
  readonly timeout: number;
};

export type FetchForPreview = (address: string, what: 'page' | 'image') => Promise<Fetched>;

const accepted = {
  page: 'text/html,application/xhtml+xml,image/*;q=0.8,*/*;q=0.1',
  image: 'image/webp,image/png,image/jpeg,image/gif,*/*;q=0.1',
} as const;

/** Sites tell programs that make previews what they show to nobody else. */
const userAgent = 'Portico (bot; previews of links)';

/** Opens an address as a preview needs it. Whoever reads it decides how much of it. */
export function createFetchForPreview({ outbound, check, acceptLanguage, timeout }: Dependencies): FetchForPreview {
  return (address, what) =>
    fetchUrl(outbound, address, {
      check,
      timeout,
      purpose: `preview-${what}`,
      answerLimit: Number.MAX_SAFE_INTEGER,
      headers: {
        accept: accepted[what],
        'accept-encoding': 'identity',
        'accept-language': acceptLanguage,
        'user-agent': userAgent,
      },
    });
}

/** The beginning of an answer, and whether that is all of it. What is left of it is never waited for. */
export async function readBeginning(
  chunks: AsyncIterable<Uint8Array>,
  most: number,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const read: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    read.push(chunk);
    length += chunk.length;
    if (length > most) break;
  }
  return { bytes: Buffer.concat(read).subarray(0, most), isWhole: length <= most };
}
