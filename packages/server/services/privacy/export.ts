import { Readable } from 'node:stream';
import type { Database } from '@portico/storage';
import { exportSections } from '@portico/storage/stores/privacy/export-sections.ts';
import { listMediaOf, type UserMediaRow } from '@portico/storage/stores/media/media-of-user.ts';
import { ZipFile } from 'yazl';
import type { ContentStore } from '../media/content-store.ts';
import { sectionText, spokenText } from './export-texts.ts';

/** What the server holds about a person, as a zip file that is made while it is read. */
export type ExportPerson = (userId: string, signal: AbortSignal) => Readable;

type Dependencies = {
  readonly db: Database;
  readonly store: Pick<ContentStore, 'read'>;
  readonly now: () => number;
};

const mediaAtOnce = 100;

export function createExport({ db, store, now }: Dependencies): ExportPerson {
  return (userId, signal) => {
    const zip = new ZipFile();
    const mtime = new Date(now());
    const output = Readable.from(zip.outputStream as Readable, { objectMode: false });
    let current: Readable | undefined;
    const fail = (error: unknown): void => {
      current?.destroy();
      output.destroy(error instanceof Error ? error : new Error('The export failed'));
    };
    signal.addEventListener('abort', () => fail(new Error('Nobody reads the export any more')), { once: true });
    zip.on('error', fail);

    /** Begins to read one part when its turn comes; a part that is begun is read to its end, or destroyed. */
    function add(name: string, compress: boolean, open: () => Promise<Readable>): Promise<void> {
      return new Promise((resolve, reject) => {
        const begin = async (give: (error: null, stream: Readable) => void): Promise<void> => {
          const stream = await open();
          current = stream;
          stream.once('close', resolve).once('error', reject);
          give(null, stream);
        };
        zip.addReadStreamLazy(name, { mtime, compress }, (give) => void begin(give).catch(reject));
      });
    }

    async function addMedia(row: UserMediaRow, index: number): Promise<void> {
      const { content_id: contentId, media_id: mediaId, is_quarantined: isQuarantined } = row;
      if (contentId === null || isQuarantined > 0) return;
      await add(`media/${index}-${mediaId}`, false, () => store.read(contentId, undefined));
    }

    async function fill(): Promise<void> {
      for (const section of exportSections) {
        const text = () => Promise.resolve(Readable.from(sectionText(db.long, userId, section)));
        await add(`${section.name}.json`, true, text);
      }
      await add('events.jsonl', true, () => Promise.resolve(Readable.from(spokenText(db.long, userId))));
      let index = 0;
      for (let after: UserMediaRow | undefined; ;) {
        const media = await listMediaOf(db, userId, { after, limit: mediaAtOnce });
        for (const row of media) await addMedia(row, ++index);
        after = media.at(-1);
        if (media.length < mediaAtOnce) break;
      }
      zip.end();
    }

    fill().catch(fail);
    return output;
  };
}
