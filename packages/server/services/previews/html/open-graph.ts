import type { PageFacts } from './page-facts.ts';
import { tidyText } from './tidy-text.ts';

/** What is answered for a page, but for its image, which is still to be fetched. */
export type PagePreview = {
  readonly properties: readonly (readonly [name: string, value: string])[];
  /** The address of the image. */
  readonly image: string | undefined;
};

const mostTitle = 300;
const mostText = 1000;
const mostProperties = 50;
const propertyName = /^og:[a-z][a-z0-9_:]{0,60}$/;
/** The values of these are addresses. */
const isAddress = /(?::|^og:)(?:url|secure_url)$|^og:(?:video|audio)$/;

/**
 * What a page says of itself in the words of OpenGraph; where it does not use them, what it says in others.
 *
 * {@link https://ogp.me/}
 */
export function previewOf(facts: PageFacts, address: string): PagePreview {
  const { metas, title, heading, paragraph } = facts;
  const base = resolve(facts.base, address) ?? address;
  const first = (...candidates: readonly (string | undefined)[]) => candidates.find((text) => text?.trim());
  const properties = new Map<string, string>();
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined && properties.size < mostProperties) properties.set(name, value);
  };
  put('og:title', tidyText(first(metas.get('og:title'), metas.get('twitter:title'), title, heading) ?? '', mostTitle));
  const told = first(metas.get('og:description'), metas.get('twitter:description'), metas.get('description'));
  put('og:description', tidyText(told ?? paragraph, mostText));
  for (const [name, value] of metas) {
    // What is said of the image holds for the copy that is kept only where the server has looked itself.
    const isOfImage = name.startsWith('og:image') && name !== 'og:image:alt';
    if (!propertyName.test(name) || isOfImage || properties.has(name)) continue;
    put(name, isAddress.test(name) ? resolve(value, base) : tidyText(value, mostText));
  }
  const image = first(
    metas.get('og:image:secure_url'),
    metas.get('og:image'),
    metas.get('og:image:url'),
    metas.get('twitter:image'),
    metas.get('twitter:image:src'),
    metas.get('image'),
    facts.image,
  );
  return { properties: [...properties], image: resolve(image, base) };
}

/** An address on the web, as seen from another one; nothing else. */
function resolve(reference: string | undefined, base: string): string | undefined {
  if (reference === undefined) return undefined;
  const url = URL.parse(reference.trim(), base);
  return url !== null && /^https?:$/.test(url.protocol) && url.href.length <= 2048 ? url.href : undefined;
}
