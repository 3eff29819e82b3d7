/** Which parameters a statement's text uses as `position($n)`, each once, as indices. */
export function positionParams(text: string): readonly number[] {
  return [...new Set([...text.matchAll(/position\(\$(\d+)\)/g)].map((match) => Number(match[1]) - 1))];
}

/** Keeps what `/* engine: … *\/` holds for this engine; what is for the other one stays a comment. */
export function uncommentFor(engine: 'sqlite' | 'postgres', ddl: string): string {
  return ddl.replace(/\/\*\s*(sqlite|postgres):\s*(.*?)\s*\*\//gs, (comment, whose: string, text: string) =>
    whose === engine ? text : comment,
  );
}
