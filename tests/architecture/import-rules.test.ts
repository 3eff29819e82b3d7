import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { join } from 'node:path';
import { readImports, readSources } from '../../scripts/imports.ts';
import { findViolations } from './rules.ts';

test('the sources keep the directions of the architecture', () => {
  const sources = readSources(join(import.meta.dirname, '../..'), ['packages']);
  assert.ok(sources.length > 50, 'the sources are found');
  assert.deepEqual(findViolations(sources), []);
});

suite('a planted violation is found:', () => {
  const plants: readonly [what: string, path: string, text: string, complaint: RegExp][] = [
    [
      'protocol imports storage',
      'packages/protocol/x.ts',
      "import { a } from '@portico/storage';",
      /protocol may import nothing/,
    ],
    ['protocol uses a package', 'packages/protocol/x.ts', "import a from 'yaml';", /depends on nothing/],
    ['protocol reads the clock', 'packages/protocol/x.ts', 'const a = Date.now();', /is pure/],
    ['protocol waits', 'packages/protocol/x.ts', 'export const a = async () => 1;', /is pure/],
    [
      'the page imports the server',
      'packages/web/x.ts',
      "import { a } from '@portico/server/errors/table.ts';",
      /web may import/,
    ],
    [
      'the server imports the page',
      'packages/server/http/x.ts',
      "import { a } from '@portico/web/account/app.ts';",
      /http may import/,
    ],
    ['privacy needs node', 'packages/protocol/privacy/x.ts', "import { a } from 'node:crypto';", /depends on nothing/],
    [
      'storage imports the server',
      'packages/storage/x.ts',
      "import { a } from '@portico/server/errors/table.ts';",
      /storage may import/,
    ],
    ['http imports storage', 'packages/server/http/x.ts', "import { a } from '@portico/storage';", /http may import/],
    [
      'http imports types of storage',
      'packages/server/http/x.ts',
      "import type { A } from '@portico/storage';",
      /http may import/,
    ],
    [
      'http loads storage late',
      'packages/server/http/x.ts',
      "const a = await import('@portico/storage/open.ts');",
      /http may import/,
    ],
    ['http passes storage on', 'packages/server/http/x.ts', "export * from '@portico/storage';", /http may import/],
    [
      'services import http',
      'packages/server/services/x.ts',
      "import { a } from '../http/app.ts';",
      /services may import/,
    ],
    ['services import fastify', 'packages/server/services/x.ts', "import fastify from 'fastify';", /do not know HTTP/],
    ['services know a status', 'packages/server/services/x.ts', 'throw new Problem({ status: 403 });', /HTTP status/],
    [
      'services import the composition',
      'packages/server/services/x.ts',
      "import { compose } from '../compose.ts';",
      /services may import/,
    ],
    [
      'the process imports the composition',
      'packages/server/process/x.ts',
      "import { compose } from '../compose.ts';",
      /process may import/,
    ],
    ['the environment is read', 'packages/server/services/x.ts', 'const a = process.env.HOME;', /reads process.env/],
    [
      'the program imports the testkit',
      'packages/server/services/x.ts',
      "import { a } from '@portico/testkit';",
      /services may import/,
    ],
    [
      'services connect by themselves',
      'packages/server/services/x.ts',
      "import { connect } from 'node:tls';",
      /opens connections/,
    ],
    [
      'services ask by a library',
      'packages/server/services/x.ts',
      "const { request } = await import('undici');",
      /opens connections/,
    ],
    ['services fetch', 'packages/server/services/x.ts', 'const a = await fetch(url);', /opens connections/],
    ['a file is nobody’s', 'packages/server/helpers/x.ts', '', /belongs to no part/],
  ];
  for (const [what, path, text, complaint] of plants) {
    test(what, () => {
      const violations = findViolations([readImports(path, `// A comment.\n${text}\n`)]);
      assert.equal(violations.length, 1, violations.join('\n'));
      assert.match(violations[0] ?? '', complaint);
    });
  }

  test('two files import each other, through a third', () => {
    const files = [
      readImports('packages/protocol/a.ts', "import { b } from './b.ts';"),
      readImports('packages/protocol/b.ts', "import type { C } from './c.ts';"),
      readImports('packages/protocol/c.ts', "import {\n  a,\n} from './a.ts';"),
    ];
    assert.deepEqual(findViolations(files), [
      'These import each other in a circle: packages/protocol/a.ts → packages/protocol/b.ts → packages/protocol/c.ts → packages/protocol/a.ts',
    ]);
  });
});

test('tests may do what the program may not', () => {
  const text = "import { a } from '@portico/testkit';\nprocess.env.A = 'b';";
  assert.deepEqual(findViolations([readImports('packages/server/services/x.test.ts', text)]), []);
});
