import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { asksForReadiness } from '../config/service-manager.ts';
import { tellSystemdReady } from './systemd.ts';

/** A program in the place of systemd's, which writes down what it was given. */
function makeNotifier(context: TestContext, status = 0) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-systemd-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const [program, heard] = [join(folder, 'notify'), join(folder, 'heard')];
  writeFileSync(program, `#!/bin/sh\necho "$@" > ${heard}\nexit ${status}\n`, { mode: 0o755 });
  const warnings: string[] = [];
  const log = pino({}, { write: (line: string) => void warnings.push(line) });
  return { program, heard, warnings, log };
}

suite('systemd', () => {
  test('is told by its program that the server is ready', async (context) => {
    const { program, heard, warnings, log } = makeNotifier(context);
    await tellSystemdReady(log, program);
    assert.equal(readFileSync(heard, 'utf8'), '--ready\n');
    assert.deepEqual(warnings, []);
  });

  test('that does not listen, or has no such program, is a warning', async (context) => {
    const { program, warnings, log } = makeNotifier(context, 1);
    await tellSystemdReady(log, program);
    await tellSystemdReady(log, `${program}-that-is-not-there`);
    assert.equal(warnings.filter((line) => line.includes('NotifyAccess=all')).length, 2);
  });

  test('asks for it by naming a socket', () => {
    assert.equal(asksForReadiness({ NOTIFY_SOCKET: '/run/systemd/notify' }), true);
    assert.equal(asksForReadiness({}), false);
  });
});
