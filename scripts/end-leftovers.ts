/** In milliseconds: what ends by itself has ended by then. */
const patience = Number(process.env['PORTICO_TEST_PATIENCE'] ?? 30_000);

/** What any process has, and timers, which are slow to end but are no reason to fail. */
const harmless: ReadonlySet<string> = new Set(['PipeWrap', 'TTYWrap', 'Timeout']);

/** Ends a process whose tests are over and that goes on all the same, which a test that failed may be the reason of. */
export function endLeftovers(): void {
  const end = () => {
    const left = process.getActiveResourcesInfo().filter((kind) => !harmless.has(kind));
    if (left.length === 0) process.exit();
    const kinds = left.join(', ');
    process.stderr.write(
      `✖ the tests are over, and something that they have left open keeps their process: ${kinds}\n`,
    );
    process.exit(1);
  };
  setTimeout(end, patience).unref();
}
