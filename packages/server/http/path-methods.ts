type Node = { readonly children: Map<string, Node>; readonly methods: Set<string> };

const anySegment = ':';

function createNode(): Node {
  return { children: new Map(), methods: new Set() };
}

/** Which methods a path has, over all declared endpoints: what tells an unknown path from an unknown method. */
export function createPathMethods(): {
  add(method: string, path: string): void;
  methodsOf(path: string): ReadonlySet<string>;
} {
  const root = createNode();
  return {
    add(method, path) {
      let node = root;
      for (const segment of path.split('/')) {
        const key = segment.startsWith(':') ? anySegment : segment;
        let child = node.children.get(key);
        if (child === undefined) {
          child = createNode();
          node.children.set(key, child);
        }
        node = child;
      }
      node.methods.add(method);
    },
    methodsOf(path) {
      let reached = [root];
      for (const segment of path.split('/')) {
        reached = reached.flatMap(({ children }) =>
          [children.get(segment), segment === '' ? undefined : children.get(anySegment)].filter((n) => n !== undefined),
        );
        if (reached.length === 0) break;
      }
      const found = new Set<string>();
      for (const { methods } of reached) for (const method of methods) found.add(method);
      return found;
    },
  };
}
