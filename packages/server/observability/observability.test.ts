import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { withoutControls } from './control-characters.ts';
import { createLogger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { redactSecrets } from './redact.ts';
import { createRequestIds } from './request-ids.ts';

async function logOf(
  context: TestContext,
  format: 'json' | 'pretty',
  write: (log: Awaited<ReturnType<typeof createLogger>>) => void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-log-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'log');
  const fd = openSync(file, 'w');
  const log = await createLogger({ level: 'info', format }, { fd, isTerminal: false });
  write(log);
  await new Promise((resolve) => log.flush(resolve));
  const until = Date.now() + 60_000;
  while (readFileSync(file, 'utf8') === '' && Date.now() < until) await new Promise((resolve) => setImmediate(resolve));
  closeSync(fd);
  return readFileSync(file, 'utf8');
}

for (const format of ['json', 'pretty'] as const) {
  test(`access tokens never reach the log (${format})`, async (context) => {
    const text = await logOf(context, format, (log) => {
      const error = new Error('GET /sync?access_token=SECRET1&since=1 failed');
      const headers = { authorization: 'Bearer SECRET2', cookie: 'SECRET3' };
      const body = { access_token: 'SECRET4', nested: { new_password: 'SEC"RET5', refresh_token: 'SECRET6' } };
      const url = '/x?a=b&refresh_token=SECRET7';
      log.error(
        { err: error, headers, body, url, db: 'postgres://u:SECRET8@h/d' },
        'Authorization: Bearer SECRET9 refused',
      );
    });
    assert.match(text, /refused/);
    assert.match(text, /since=1/, 'what is harmless stays');
    assert.doesNotMatch(text, /SEC(?:RET|\\"RET)|RET5/);
    if (format === 'json') assert.equal((JSON.parse(text) as { level: string }).level, 'error');
  });
}

for (const format of ['json', 'pretty'] as const) {
  test(`what others say is one entry of the log, and does nothing to who reads it (${format})`, async (context) => {
    const text = await logOf(context, format, (log) => {
      const said = '\r\n[08:00:00.000] ERROR: forged \u001b[2J\u009b31m\u007f\b end';
      log.error({ roomId: said, nested: { list: [said] }, error: new Error(said) }, 'A message');
    });
    assert.doesNotMatch(text, /[^\P{Cc}\n]/u);
    assert.match(text, /forged/);
    const [first, ...others] = text.trimEnd().split('\n');
    assert.match(first ?? '', /A message/);
    for (const line of others) assert.match(line, /^ {4}/);
    if (format === 'json') assert.deepEqual(others, []);
  });
}

test('lines without control characters pass as they are', () => {
  const line = String.raw`{"path":"C:\\u001b\\r","text":"a\nb\t\"\/é…"}`;
  assert.equal(withoutControls(line), line);
});

test('lines without secrets pass as they are', () => {
  const line = '{"level":"info","msg":"token bucket of @alice:a.org is empty"}\n';
  assert.equal(redactSecrets(line), line);
  const xMatrix = String.raw`{"auth":"X-Matrix origin=\"a.org\",sig=\"AbC+/1\""}`;
  assert.equal(redactSecrets(xMatrix), String.raw`{"auth":"X-Matrix origin=\"a.org\",sig=\"[redacted]\""}`);
});

test('request IDs are unique', () => {
  const [next, other] = [createRequestIds(), createRequestIds()];
  assert.equal(new Set([next(), next(), other(), other()]).size, 4);
});

test('metrics say what was counted', async () => {
  const metrics = createMetrics();
  metrics.observeRequest('getVersions', 'GET', 200, 0.2);
  metrics.observeRequest('getVersions', 'GET', 404, 40_000);
  metrics.storage.group({ sets: 3, bytes: 100, waited: 1, took: 4 });
  metrics.storage.group({ sets: 300, bytes: 50, waited: 1, took: 4 });
  metrics.watchCache('heads', { size: () => 7, limit: () => 10, hits: () => 5, misses: () => 2 });
  metrics.watchCache('queue', { size: () => 1, limit: () => 256 });
  metrics.watchOpenSyncs(() => 12);
  assert.throws(() => metrics.watchCache('heads', { size: () => 0, limit: () => 0 }));
  const { body } = await metrics.registry.scrape();
  metrics.close();
  for (const line of [
    'portico_http_request_seconds_count{operation="getVersions",method="GET",status="2xx"} 1',
    'portico_http_request_seconds_bucket{operation="getVersions",method="GET",status="4xx",le="30"} 0',
    'portico_http_request_seconds_bucket{operation="getVersions",method="GET",status="4xx",le="+Inf"} 1',
    'portico_commit_group_sets_bucket{le="4"} 1',
    'portico_commit_group_sets_bucket{le="+Inf"} 2',
    'portico_commit_group_sets_sum 303',
    'portico_commit_bytes_total 150',
    'portico_cache_size{cache="heads"} 7',
    'portico_cache_limit{cache="queue"} 256',
    'portico_cache_misses_total{cache="heads"} 2',
    'portico_open_syncs 12',
  ]) {
    assert.ok(body.split('\n').includes(line), `${line} in\n${body}`);
  }
  assert.doesNotMatch(body, /portico_cache_hits_total\{cache="queue"\}/);
});
