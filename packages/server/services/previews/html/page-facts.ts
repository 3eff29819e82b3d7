import { Parser } from 'htmlparser2';
import { createTextGatherer } from './text-gatherer.ts';

/** What a page says of itself: all of it text that somebody else has written. */
export type PageFacts = {
  /** The `content` of its meta elements by their `property`, `name` or `itemprop`, the first of each. */
  readonly metas: ReadonlyMap<string, string>;
  readonly title: string;
  readonly heading: string;
  readonly paragraph: string;
  /** Of its images that are not tiny, the first; or the one that it names as its image. */
  readonly image: string | undefined;
  readonly base: string | undefined;
};

/** A parser remembers which elements are open, and looks through them: real pages do not come near to this. */
const mostDepth = 500;
const mostMetas = 200;
const mostValue = 8192;
/** Read at a time, after which it may be enough. */
const stretch = 16_384;
/** What is no larger than that is decoration. In pixels. */
const tiny = 48;

type Attributes = Readonly<Record<string, string | undefined>>;

/** Reads a page to its end, or until it is enough. No tree is built, so that there is none to be too deep. */
export function readPageFacts(html: string): PageFacts {
  const metas = new Map<string, string>();
  const texts = createTextGatherer();
  let image: string | undefined;
  let linked: string | undefined;
  let base: string | undefined;
  let depth = 0;
  let enough = false;

  function readMeta({ property, name, itemprop, content }: Attributes): void {
    const key = (property ?? name ?? itemprop)?.trim().toLowerCase();
    if (key === undefined || content === undefined || content === '' || metas.size >= mostMetas) return;
    if (!metas.has(key)) metas.set(key, content.slice(0, mostValue));
  }

  function readImage({ src, width, height }: Attributes): void {
    if (image !== undefined || src === undefined || src === '' || src.length > mostValue) return;
    if (/^\s*data:/i.test(src) || isTiny(width) || isTiny(height)) return;
    image = src;
  }

  const parser = new Parser(
    {
      onopentag(element, attributes: Attributes) {
        depth += 1;
        if (depth > mostDepth) enough = true;
        if (enough) return;
        texts.open(element);
        if (element === 'meta') readMeta(attributes);
        else if (element === 'img') readImage(attributes);
        else if (element === 'base') base ??= attributes['href']?.slice(0, mostValue);
        else if (element === 'link' && attributes['rel']?.toLowerCase() === 'image_src') {
          linked ??= attributes['href']?.slice(0, mostValue);
        } else if (element === 'body' && isComplete(metas)) enough = true;
      },
      onclosetag(element) {
        depth -= 1;
        if (!enough) texts.close(element);
      },
      ontext(text) {
        if (!enough) texts.add(text);
      },
    },
    { decodeEntities: true },
  );
  const isEnough = () => enough;
  for (let at = 0; at < html.length && !isEnough(); at += stretch) parser.write(html.slice(at, at + stretch));
  if (!isEnough()) parser.end();
  return { metas, ...texts.read(), image: linked ?? image, base };
}

function isTiny(length: string | undefined): boolean {
  return length !== undefined && /^\s*\d+\s*(?:px)?\s*$/.test(length) && Number.parseInt(length, 10) <= tiny;
}

/** Nothing in the body can add to it. */
function isComplete(metas: ReadonlyMap<string, string>): boolean {
  return metas.has('og:title') && metas.has('og:description') && metas.has('og:image');
}
