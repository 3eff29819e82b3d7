import { join } from 'node:path';
import type { WebServices } from '../http/web/index.ts';
import { createPageFiles } from '../services/web/page-files.ts';

/** The folder of our packages: the pages are in one of them, and what they run is in others, too. */
const packages = join(import.meta.dirname, '../..');

export function createWebParts(): WebServices {
  return { accountPage: createPageFiles(packages, 'account', 'account') };
}
