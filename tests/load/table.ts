import type { Kind } from './federated-server.ts';

/** A figure of each kind of server. */
type Row = { readonly what: string; readonly figures: ReadonlyMap<Kind, number> };

const text = (value: number): string => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);

/** What was measured, in columns; where there are two kinds, also how often the second's goes into the first's. */
function tableOf(kinds: readonly Kind[], rows: readonly Row[]): string {
  const [first, second] = kinds;
  const head = ['', ...kinds, ...(kinds.length === 2 ? [`${first} / ${second}`] : [])];
  const lines = rows.map(({ what, figures }) => {
    const cells = kinds.map((kind) => figures.get(kind));
    const [of, by] = cells;
    const ratio = kinds.length === 2 && of !== undefined && by !== undefined ? [of / by] : [];
    return [what, ...[...cells, ...ratio].map((value) => (value === undefined ? '—' : text(value)))];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return [head, ...lines].map((line) => line.map(pad).join('  ')).join('\n');
}

/** Collects figures for the table, and says each when it is there. */
export function createFigures(say: (line: string) => void) {
  const rows = new Map<string, Map<Kind, number>>();
  return {
    note(kind: Kind, what: string, figure: number): void {
      say(`${kind}: ${what}: ${figure.toFixed(3)}`);
      rows.set(what, (rows.get(what) ?? new Map<Kind, number>()).set(kind, figure));
    },
    table: (kinds: readonly Kind[]): string =>
      tableOf(
        kinds,
        [...rows].map(([what, figures]): Row => ({ what, figures })),
      ),
  };
}
