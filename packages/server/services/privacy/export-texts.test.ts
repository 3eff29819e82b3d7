import assert from 'node:assert/strict';
import { createWriteSet } from '@portico/storage';
import { setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import { exportSections } from '@portico/storage/stores/privacy/export-sections.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { sectionText } from './export-texts.ts';

const alice = '@alice:localhost';
const mebibyte = 1024 * 1024;

onBothEngines('what is large is exported a few rows at a time', async (db) => {
  const section = exportSections.find(({ name }) => name === 'account-data');
  assert.ok(section);
  for (let index = 0; index < 20; index++) {
    const set = createWriteSet();
    const content = JSON.stringify({ n: index, filler: 'x'.repeat(mebibyte - 100) });
    setAccountData(set, { userId: alice, roomId: '', type: `t${index}`, content });
    await db.commit(set);
  }
  let text = '';
  for await (const part of sectionText(db.long, alice, section)) {
    assert.ok(part.length <= 9 * mebibyte, `${part.length} characters at once`);
    text += part;
  }
  const rows = JSON.parse(text) as { content: { n: number } }[];
  assert.deepEqual(
    rows.map(({ content }) => content.n).toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, n) => n),
  );
});
