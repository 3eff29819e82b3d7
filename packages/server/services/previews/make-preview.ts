import { readImageFacts, type ImageFacts } from '../media/images/image-facts.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { Fetched } from '../outbound/fetch-url.ts';
import { headerText } from '../outbound/read-body.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { type FetchForPreview, readBeginning } from './fetch-for-preview.ts';
import type { PagePreview } from './html/open-graph.ts';
import type { PageReader } from './html/page-reader.ts';
import { tidyText } from './html/tidy-text.ts';

/** An image that can be shown, in memory. */
export type PreviewImage = ImageFacts & { readonly bytes: Uint8Array };

export type MadePreview = {
  readonly properties: PagePreview['properties'];
  readonly image: PreviewImage | undefined;
};

type Dependencies = {
  readonly fetch: FetchForPreview;
  readonly pages: PageReader;
  readonly log: { debug(details: object, message: string): void };
};

/** What pages say of themselves is at their beginning. */
const mostPageBytes = 2 * 1024 * 1024;
const mostImageBytes = 8 * 1024 * 1024;
const nothing: MadePreview = { properties: [], image: undefined };

/** Looks at an address and at the image that it names. Rejects where there is nothing to be had. */
export function createMakePreview({ fetch, pages, log }: Dependencies): (address: URL) => Promise<MadePreview> {
  async function readImage({ chunks }: Fetched): Promise<PreviewImage | undefined> {
    const { bytes, isWhole } = await readBeginning(chunks, mostImageBytes);
    const facts = isWhole ? await readImageFacts(bytes) : undefined;
    return facts && { ...facts, bytes };
  }

  /** A page without its image is still worth showing. */
  async function findImage(address: string | undefined): Promise<PreviewImage | undefined> {
    if (address === undefined) return undefined;
    try {
      return await readImage(await fetch(address, 'image'));
    } catch (error) {
      if (!(error instanceof OutboundError || error instanceof MatrixError)) throw error;
      log.debug({ reason: error.message }, 'The image of a preview could not be fetched');
      return undefined;
    }
  }

  return async (address) => {
    const fetched = await fetch(address.href, 'page');
    const contentType = headerText(fetched.headers, 'content-type');
    const [essence = ''] = (contentType ?? 'text/html').toLowerCase().split(';');
    if (essence.startsWith('image/')) {
      const image = await readImage(fetched);
      const title = tidyText(nameIn(fetched.url), 300);
      return image === undefined || title === undefined
        ? { ...nothing, image }
        : { properties: [['og:title', title]], image };
    }
    if (!/^\s*(?:text\/html|application\/xhtml\+xml)\s*$/.test(essence)) {
      fetched.discard();
      return nothing;
    }
    const { bytes } = await readBeginning(fetched.chunks, mostPageBytes);
    const { properties, image } = await pages.read({ bytes, contentType, address: fetched.url.href });
    return { properties, image: await findImage(image) };
  };
}

function nameIn({ pathname }: URL): string {
  const name = pathname.slice(pathname.lastIndexOf('/') + 1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
