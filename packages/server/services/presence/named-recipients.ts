/** Who is allowed by name to see whom, and who lets people see them by a pattern: they may share no room. */
export interface NamedRecipients {
  set(userId: string, names: ReadonlySet<string>, hasPatterns: boolean): void;
  delete(userId: string): void;
  /** Whom somebody may see because they are named. */
  naming(recipient: string): ReadonlySet<string>;
  namesOf(userId: string): ReadonlySet<string>;
  hasPatterns(userId: string): boolean;
  readonly withPatterns: ReadonlySet<string>;
}

const nobody: ReadonlySet<string> = new Set();

export function createNamedRecipients(): NamedRecipients {
  const names = new Map<string, ReadonlySet<string>>();
  const naming = new Map<string, Set<string>>();
  const withPatterns = new Set<string>();

  function remove(userId: string): void {
    withPatterns.delete(userId);
    for (const name of names.get(userId) ?? []) {
      const others = naming.get(name);
      others?.delete(userId);
      if (others?.size === 0) naming.delete(name);
    }
    names.delete(userId);
  }

  return {
    set(userId, named, hasPatterns) {
      if (names.get(userId) !== named) {
        remove(userId);
        if (named.size > 0) names.set(userId, named);
        for (const name of named) {
          const others = naming.get(name);
          if (others === undefined) naming.set(name, new Set([userId]));
          else others.add(userId);
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
