import type pg from 'pg';

/**
 * Does something on a connection and gives the connection up where that takes longer than so many milliseconds. What a machine that
 * is gone does not answer would otherwise be waited for until the network gives up, a quarter of an hour by default.
 */
export async function answerInTime<T>(client: pg.Client, milliseconds: number, ask: () => Promise<T>): Promise<T> {
  const late = new Error(`PostgreSQL has not answered for ${milliseconds / 1000} seconds`);
  const timer = setTimeout(() => client.connection.stream.destroy(late), milliseconds);
  try {
    return await ask();
  } finally {
    clearTimeout(timer);
  }
}
