import type pg from 'pg';
import type { Sql, SqlValue } from '../../sql.ts';
import { toPostgresText } from './sql-text.ts';
import { parserFor, toWire } from './values.ts';

type Row = Record<string, SqlValue>;

/** A statement to run; `rows` where its rows are wanted. */
export type Step = {
  readonly statement: Sql<unknown, never>;
  readonly params: readonly (SqlValue | undefined)[];
  readonly rows: boolean;
};

export type StepResult = { readonly count: number; readonly tag: string; readonly rows: readonly Row[] };

/** A step went wrong. Those before it have their results; those after it did not run. */
export class BatchError extends Error {
  override readonly name = 'BatchError';
  readonly step: number;
  readonly results: readonly StepResult[];

  constructor(step: number, results: readonly StepResult[], cause: Error) {
    super(cause.message, { cause });
    this.step = step;
    this.results = results;
  }
}

type Field = { readonly name: string; readonly parse: (text: string) => SqlValue };

type Known = {
  readonly text: string;
  /** Described once for the process: a statement has the same columns on every connection. */
  fields: readonly Field[] | undefined;
};

const known = new WeakMap<Sql<unknown, never>, Known>();

function knownOf(statement: Sql<unknown, never>): Known {
  let found = known.get(statement);
  if (found === undefined) known.set(statement, (found = { text: toPostgresText(statement.text), fields: undefined }));
  return found;
}

/** What one connection has prepared. `maybe` after a failure that leaves it open whether the server kept it. */
type Prepared = Map<string, 'yes' | 'maybe'>;
const preparedOn = new WeakMap<pg.Client, Prepared>();

/** The messages that pg hands to whatever it was given to run. */
type RowDescription = { readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[] };
type DataRow = { readonly fields: readonly (string | null)[] };
type CommandComplete = { readonly text: string };

const noRows: readonly Row[] = [];

/**
 * Sends all steps at once, with one `Sync` behind them: one round trip, and outside a transaction they are one. pg's own
 * queries would each bring a `Sync`, a result object and a describe of their own.
 */
export function runBatch(client: pg.Client, steps: readonly Step[]): Promise<readonly StepResult[]> {
  return new Promise((resolve, reject) => {
    const prepared = preparedOn.get(client) ?? new Map<string, 'yes' | 'maybe'>();
    preparedOn.set(client, prepared);
    const parsed: string[] = [];
    const results: StepResult[] = [];
    let fields: readonly Field[] | undefined;
    let rows: Row[] | undefined;
    let broken: { readonly step: number; readonly error: Error } | undefined;

    const fail = (cause: Error, step = results.length) => {
      for (const name of parsed) prepared.set(name, 'maybe');
      reject(new BatchError(step, results, cause));
    };

    /** For what goes wrong on our side, while the server goes on answering. */
    const breakAt = (step: number, error: unknown) => {
      broken ??= { step, error: error instanceof Error ? error : new Error(String(error)) };
    };

    const send = (connection: pg.Connection, step: Step) => {
      const { name } = step.statement;
      const { text, fields: described } = knownOf(step.statement);
      const state = prepared.get(name);
      if (state === 'maybe') connection.close({ type: 'S', name }, true);
      if (state !== 'yes') {
        connection.parse({ name, text, types: [] }, true);
        prepared.set(name, 'yes');
        parsed.push(name);
      }
      connection.bind({ statement: name, values: step.params as unknown[], valueMapper: toWire } as never, true);
      if (step.rows && described === undefined) connection.describe({ type: 'P', name: '' }, true);
      connection.execute(null, true);
    };

    const parseRow = (values: readonly (string | null)[]): Row => {
      fields ??= knownOf((steps[results.length] as Step).statement).fields ?? [];
      const row: Row = {};
      for (let index = 0; index < fields.length; index++) {
        const field = fields[index] as Field;
        const value = values[index] as string | null;
        row[field.name] = value === null ? null : field.parse(value);
      }
      return row;
    };

    client.query({
      submit(connection: pg.Connection) {
        let sent = 0;
        connection.stream.cork();
        try {
          for (; sent < steps.length; sent++) send(connection, steps[sent] as Step);
        } catch (error) {
          breakAt(sent, error);
        } finally {
          connection.sync();
          connection.stream.uncork();
        }
        return null;
      },
      handleRowDescription(message: RowDescription) {
        try {
          fields = message.fields.map(({ name, dataTypeID }) => ({ name, parse: parserFor(dataTypeID, name) }));
          knownOf((steps[results.length] as Step).statement).fields = fields;
        } catch (error) {
          breakAt(results.length, error);
        }
      },
      handleDataRow(message: DataRow) {
        if (!(steps[results.length] as Step).rows || broken !== undefined) return;
        try {
          rows ??= [];
          rows.push(parseRow(message.fields));
        } catch (error) {
          breakAt(results.length, error);
        }
      },
      handleCommandComplete({ text }: CommandComplete) {
        results.push({ count: Number(text.slice(text.lastIndexOf(' ') + 1)) || 0, tag: text, rows: rows ?? noRows });
        rows = undefined;
        fields = undefined;
      },
      handleEmptyQuery() {
        results.push({ count: 0, tag: '', rows: noRows });
      },
      handleError: (error: Error) => fail(error),
      handleReadyForQuery() {
        if (broken !== undefined) fail(broken.error, broken.step);
        else resolve(results);
      },
    } as pg.Submittable);
  });
}
