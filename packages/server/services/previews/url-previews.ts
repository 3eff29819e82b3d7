import { createHash } from 'node:crypto';
import { formatMxcUri, type ServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { addPreviewImage, findPreview, keepPreview } from '@portico/storage/stores/media/url-previews.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import type { ContentStore } from '../media/content-store.ts';
import { receiveBytes } from '../media/receive.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import { createWorkQueue } from '../work-queue.ts';
import { type CheckAddress, parseAddress } from './address.ts';
import type { MadePreview, PreviewImage } from './make-preview.ts';
import { createUserQueues } from './user-queues.ts';

/** OpenGraph, with the image at an `mxc://` address. */
export type Preview = Readonly<Record<string, string | number>>;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1mediapreview_url} */
export interface UrlPreviews {
  /** Throws `preview.bad-url`, `preview.host-refused`, `preview.failed`, `preview.too-many`, `server.overloaded`. */
  find(userId: string, address: string): Promise<Preview>;
  close(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly store: ContentStore;
  readonly serverName: ServerName;
  readonly check: CheckAddress;
  readonly make: (address: URL) => Promise<MadePreview>;
  /** Told of each file that is stored. */
  readonly onGrown: (bytes: number) => void;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly log: { debug(details: object, message: string): void };
  readonly watch?: WatchCache | undefined;
};

const hour = 60 * 60_000;
const answerLives = hour;
/** What failed may have been down for a moment. */
const failureLives = 5 * 60_000;
/** Clients keep what they were answered for as long as they run. */
const imageLives = 48 * hour;
const mostAtOnce = 16;
const mostWaiting = 200;
const perUser = { concurrency: 4, mostWaiting: 50 };

/** Previews of links: from here if somebody has asked lately, or made, each once for all who wait. */
export function createUrlPreviews(dependencies: Dependencies): UrlPreviews {
  const { db, store, serverName, check, make, onGrown, now, randomBytes, log, watch } = dependencies;
  const underway = new Map<string, Promise<Preview | undefined>>();
  const everyone = createWorkQueue({ concurrency: mostAtOnce, mostWaiting });
  const each = createUserQueues(perUser);
  watch?.('previews_underway', { size: () => everyone.size, limit: () => mostAtOnce + mostWaiting });

  async function storeImage({ bytes, ...facts }: PreviewImage) {
    const mediaId = Buffer.from(randomBytes(18)).toString('base64url');
    const received = await receiveBytes(store, bytes);
    return { mediaId, content: { ...received, contentType: facts.contentType, name: undefined }, facts };
  }

  /** Answers what was kept. */
  async function keep(urlHash: string, made: MadePreview | undefined): Promise<Preview | undefined> {
    const image = made?.image && (await storeImage(made.image));
    const answer: Preview | undefined = made && {
      ...Object.fromEntries(made.properties),
      ...(image && {
        'og:image': formatMxcUri({ serverName, mediaId: image.mediaId }),
        'og:image:type': image.facts.contentType,
        'og:image:width': image.facts.width,
        'og:image:height': image.facts.height,
        'matrix:image:size': image.content.size,
      }),
    };
    const at = now();
    const set = createWriteSet();
    keepPreview(set, urlHash, {
      answer: answer && JSON.stringify(answer),
      mediaId: image?.mediaId,
      expiresAt: at + (answer === undefined ? failureLives : answerLives),
    });
    if (image) {
      addPreviewImage(set, { origin: serverName, mediaId: image.mediaId }, image.content, {
        now: at,
        until: at + imageLives,
      });
    }
    // Content whose row was not written is swept away later.
    await db.commit(set);
    if (image) onGrown(image.content.size);
    return answer;
  }

  async function makeNow(urlHash: string, address: URL): Promise<Preview | undefined> {
    let made: MadePreview | undefined;
    try {
      made = await make(address);
    } catch (error) {
      const isOfThePage =
        error instanceof OutboundError || (error instanceof MatrixError && error.reason === 'preview.failed');
      if (!isOfThePage) throw error;
      log.debug({ reason: error.message }, 'A preview could not be made');
    }
    return keep(urlHash, made);
  }

  return {
    async find(userId, text) {
      const address = parseAddress(text, check);
      const urlHash = createHash('sha256').update(address.href).digest('base64url');
      const known = await findPreview(db, urlHash, { now: now(), origin: serverName });
      if (known !== undefined)
        return answered(known.answer === null ? undefined : (JSON.parse(known.answer) as Preview));
      let making = underway.get(urlHash);
      if (making === undefined) {
        making = each.run(userId, () => everyone.run(() => makeNow(urlHash, address)));
        underway.set(urlHash, making);
        const end = () => underway.delete(urlHash);
        making.then(end, end);
      }
      return answered(await making);
    },
    close: () => everyone.close(),
  };
}

function answered(preview: Preview | undefined): Preview {
  if (preview === undefined) throw new MatrixError('preview.failed');
  return preview;
}
