import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderReference } from '../packages/server/config/render.ts';
import { schema } from '../packages/server/config/schema.ts';

/** Writes the reference page of the settings; a test says when it is out of date. */
const folder = join(import.meta.dirname, '../docs/operate');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'settings.md'), renderReference(schema));
