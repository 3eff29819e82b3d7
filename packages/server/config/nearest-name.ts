/** The known name that is the fewest edits away. A name that ends like the unknown one is preferred over others. */
export function nearestName(unknown: string, known: readonly string[]): string {
  const last = lastPart(unknown);
  const distance = (name: string) => Math.min(editDistance(unknown, name), editDistance(last, lastPart(name)) + 0.5);
  return known.reduce((best, name) => (distance(name) < distance(best) ? name : best), known[0] ?? '');
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? a.length;
}
