import { parentPort } from 'node:worker_threads';
import { decodePage } from './decode-page.ts';
import { previewOf } from './open-graph.ts';
import type { FromPageThread, ToPageThread } from './page-reader.ts';
import { readPageFacts } from './page-facts.ts';

parentPort?.on('message', ({ bytes, contentType, address }: ToPageThread) => {
  const preview = previewOf(readPageFacts(decodePage(bytes, contentType)), address);
  parentPort?.postMessage(preview satisfies FromPageThread);
});
