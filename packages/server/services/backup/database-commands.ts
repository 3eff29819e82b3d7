/** Passwords do not belong on command lines: PostgreSQL's programs ask for it, or find it in PGPASSWORD or ~/.pgpass. */
function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.href;
}

export function dumpCommand(url: string, file: string): string {
  return `pg_dump --format=custom --file=${quote(file)} ${quote(withoutPassword(url))}`;
}

export function restoreCommand(url: string, file: string): string {
  return `pg_restore --no-owner --exit-on-error --dbname=${quote(withoutPassword(url))} ${quote(file)}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
