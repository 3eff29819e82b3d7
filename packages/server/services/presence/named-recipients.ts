/** Who is allowed by name to see whom, and who lets people see them by a pattern: they may share no room. */
export interface NamedRecipients {
  /** Yields between steps: there may be any number of names. */
  set(userId: string, names: Names, hasPatterns: boolean): Generator<void, void, void>;
  delete(userId: string): Generator<void, void, void>;
  /** Whom somebody may see because they are named. */
  naming(recipient: string): ReadonlySet<string>;
  namesOf(userId: string): Names;
  hasPatterns(userId: string): boolean;
  readonly withPatterns: ReadonlySet<string>;
}

type Names = ReadonlySet<string> | readonly string[];

const nobody: ReadonlySet<string> = new Set();
const perStep = 500;

export function createNamedRecipients(): NamedRecipients {
  const names = new Map<string, Names>();
  const naming = new Map<string, Set<string>>();
  const withPatterns = new Set<string>();

  function* remove(userId: string): Generator<void, void, void> {
    withPatterns.delete(userId);
    let done = 0;
    for (const name of names.get(userId) ?? []) {
      const others = naming.get(name);
      others?.delete(userId);
      if (others?.size === 0) naming.delete(name);
      if (++done % perStep === 0) yield;
    }
    names.delete(userId);
  }

  return {
    *set(userId, named, hasPatterns) {
      if (names.get(userId) !== named) {
        yield* remove(userId);
        names.set(userId, named);
        let done = 0;
        for (const name of named) {
          const others = naming.get(name);
          if (others === undefined) naming.set(name, new Set([userId]));
          else others.add(userId);
          if (++done % perStep === 0) yield;
        }
      }
      if (hasPatterns) withPatterns.add(userId);
      else withPatterns.delete(userId);
    },
    delete: remove,
    naming: (recipient) => naming.get(recipient) ?? nobody,
    namesOf: (userId) => names.get(userId) ?? nobody,
    hasPatterns: (userId) => withPatterns.has(userId),
    withPatterns,
  };
}
