/** The places in a statement's text where `position($n)` stands, as indices into its parameters. */
export function positionParams(text: string): readonly number[] {
  return [...text.matchAll(/position\(\$(\d+)\)/g)].map((match) => Number(match[1]) - 1);
}

/** Keeps what `/* engine: … *\/` holds for this engine; what is for the other one stays a comment. */
export function uncommentFor(engine: 'sqlite' | 'postgres', ddl: string): string {
  return ddl.replace(/\/\*\s*(sqlite|postgres):\s*(.*?)\s*\*\//gs, (comment, whose: string, text: string) =>
    whose === engine ? text : comment,
  );
}
