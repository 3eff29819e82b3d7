import { once } from 'node:events';
import { fromBuffer } from 'yauzl';

/** The files of a zip file, by their names. */
export async function unzip(zipped: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const zip = await new Promise<import('yauzl').ZipFile>((resolve, reject) => {
    fromBuffer(zipped, { lazyEntries: false }, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  const reading: Promise<void>[] = [];
  zip.on('entry', (entry: import('yauzl').Entry) => {
    reading.push(
      new Promise((resolve, reject) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error) return reject(error);
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('end', () => {
            files.set(entry.fileName, Buffer.concat(chunks));
            resolve();
          });
        });
      }),
    );
  });
  await once(zip, 'end');
  await Promise.all(reading);
  return files;
}
