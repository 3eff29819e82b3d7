import { readFile } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a page consists of, as `files.json` beside it says: nothing else is ever served. */
type FileList = {
  readonly page: string;
  readonly style: string;
  readonly start: string;
  /** Of ours, by package: TypeScript. */
  readonly modules: Readonly<Record<string, readonly string[]>>;
  /** Of others, by what they are imported as: the file in the folder of the package. */
  readonly libraries: Readonly<Record<string, string>>;
};

export type SourceFile = {
  /** The last part of its address. */
  readonly name: string;
  readonly kind: 'style' | 'typescript' | 'javascript';
  readonly text: string;
  /** How others import it: the path of the file, or the name of the library. */
  readonly importedAs: string;
  readonly path: string;
};

export type PageSources = {
  readonly page: string;
  readonly files: readonly SourceFile[];
  /** The name of the module that starts the page. */
  readonly start: string;
};

/** `a/b.ts` → `a.b.js`: flat, since nothing that a request says is to become a path. */
function nameOf(packageName: string, path: string): string {
  return `${packageName}.${path.replaceAll('/', '.').replace(/\.ts$/, '.js')}`;
}

/** Reads everything of a page; `packages` is the folder of our own. */
export async function readPageSources(packages: string, page: string): Promise<PageSources> {
  const folder = join(packages, 'web');
  const list = JSON.parse(await readFile(join(folder, page, 'files.json'), 'utf8')) as FileList;
  const ours = Object.entries(list.modules).flatMap(([name, paths]) =>
    paths.map((path) => readOurs(packages, name, path)),
  );
  const libraries = Object.entries(list.libraries).map(([name, path]) => readLibrary(folder, name, path));
  const style = join(folder, page, list.style);
  const styleFile = readFile(style, 'utf8').then((text): SourceFile => {
    return { name: list.style, kind: 'style', text, importedAs: style, path: style };
  });
  return {
    page: await readFile(join(folder, page, list.page), 'utf8'),
    files: await Promise.all([styleFile, ...ours, ...libraries]),
    start: nameOf('web', list.start),
  };
}

async function readOurs(packages: string, packageName: string, relative: string): Promise<SourceFile> {
  const path = join(packages, packageName, relative);
  const text = await readFile(path, 'utf8');
  return { name: nameOf(packageName, relative), kind: 'typescript', text, importedAs: path, path };
}

async function readLibrary(folder: string, name: string, relative: string): Promise<SourceFile> {
  const [library = ''] = name.split('/');
  const manifest = findPackageJSON(library, pathToFileURL(join(folder, 'package.json')));
  if (manifest === undefined) throw new Error(`The library ${library} of the pages is not installed`);
  const path = join(dirname(manifest), relative);
  const text = await readFile(path, 'utf8');
  return { name: `${name.replaceAll('/', '.')}.js`, kind: 'javascript', text, importedAs: name, path };
}
