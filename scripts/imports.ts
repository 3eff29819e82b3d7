import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A source file and what it imports: paths from the root of the repository, or names of packages and built-in modules. */
export type SourceFile = { readonly path: string; readonly text: string; readonly imports: readonly Import[] };

export type Import = {
  readonly target: string;
  /** Whether it is gone at run time. */
  readonly typeOnly: boolean;
};

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const dynamic = /\bimport\(\s*'([^']+)'\s*\)/g;

/** Reads what a file imports. A scan rather than a parser: the formatter sees to it that there is one way to write it. */
export function readImports(path: string, text: string): SourceFile {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const found = [...code.matchAll(statement)].map(([, type, target = '']) => ({ target, typeOnly: !!type }));
  const loaded = [...code.matchAll(dynamic)].map(([, target = '']) => ({ target, typeOnly: false }));
  return {
    path,
    text: code,
    imports: [...found, ...loaded].map((each) => ({ ...each, target: locate(path, each.target) })),
  };
}

function locate(from: string, target: string): string {
  if (target.startsWith('.')) return normalize(join(dirname(from), target));
  const [, name, rest] = /^@portico\/([a-z]+)(?:\/(.+))?$/.exec(target) ?? [];
  return name === undefined ? target : `packages/${name}/${rest ?? 'index.ts'}`;
}

/** Every TypeScript file below the given folders of the repository. */
export function readSources(root: string, folders: readonly string[]): SourceFile[] {
  return folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .filter((path) => path.endsWith('.ts') && !path.includes('node_modules'))
    .toSorted()
    .map((path) => readImports(path, readFileSync(join(root, path), 'utf8')));
}

/** Everything that a file needs at run time, directly or through others: files, packages and built-in modules. */
export function reachable(from: string, sources: ReadonlyMap<string, SourceFile>): Set<string> {
  const reached = new Set<string>();
  const waiting = [from];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    for (const { target, typeOnly } of sources.get(path)?.imports ?? []) {
      if (typeOnly || reached.has(target)) continue;
      reached.add(target);
      waiting.push(target);
    }
  }
  return reached;
}
