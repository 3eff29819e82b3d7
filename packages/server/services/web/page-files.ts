import { hash } from 'node:crypto';
import { toBrowserModule } from './browser-module.ts';
import { type PageSources, readPageSources, type SourceFile } from './file-list.ts';

export type PageFile = {
  readonly bytes: Buffer;
  /** Names these very bytes. */
  readonly tag: string;
  readonly kind: 'page' | 'style' | 'module';
  /** In the address of everything that the page loads: under another version there may be other bytes. */
  readonly version: string;
};

/** A page for browsers and all that it loads. Nothing is read before somebody wants it; then it is kept. */
export interface PageFiles {
  page(): Promise<PageFile>;
  /** `undefined` where the page consists of no such file. */
  find(name: string): Promise<PageFile | undefined>;
}

type Loaded = {
  readonly sources: PageSources;
  readonly byName: ReadonlyMap<string, SourceFile>;
  readonly addresses: ReadonlyMap<string, string>;
  readonly version: string;
};

/** `folder` is that of the page's files in its address, relative to the page. */
export function createPageFiles(packages: string, page: string, folder: string): PageFiles {
  let loading: Promise<Loaded> | undefined;
  const made = new Map<string, PageFile>();

  function load(): Promise<Loaded> {
    loading ??= readPageSources(packages, page).then(prepare);
    // What could not be read once may be there the next time.
    loading.catch(() => (loading = undefined));
    return loading;
  }

  function keep(name: string, kind: PageFile['kind'], text: string, version: string): PageFile {
    const bytes = Buffer.from(text);
    const file = { bytes, tag: hash('sha256', bytes, 'base64url').slice(0, 22), kind, version };
    made.set(name, file);
    return file;
  }

  return {
    async page() {
      const known = made.get('');
      if (known !== undefined) return known;
      const { sources, version, addresses } = await load();
      return keep('', 'page', renderPage(sources, folder, [...addresses.values()], version), version);
    },
    async find(name) {
      const known = made.get(name);
      if (known !== undefined) return known;
      const { byName, addresses, version } = await load();
      const file = byName.get(name);
      if (file === undefined) return undefined;
      if (file.kind === 'style') return keep(name, 'style', file.text, version);
      const addressOf = (importedAs: string): string => {
        const address = addresses.get(importedAs);
        if (address === undefined) throw new Error(`${file.path} imports ${importedAs}, which the page does not have`);
        return address;
      };
      return keep(name, 'module', toBrowserModule(file, packages, addressOf), version);
    },
  };
}

function prepare(sources: PageSources): Loaded {
  const texts = [sources.page, ...sources.files.flatMap(({ name, text }) => [name, text])];
  const version = hash('sha256', texts.join('\0'), 'base64url').slice(0, 12);
  return {
    sources,
    version,
    byName: new Map(sources.files.map((file) => [file.name, file])),
    addresses: new Map(sources.files.map(({ importedAs, name }) => [importedAs, `${name}?v=${version}`])),
  };
}

/** The page names all that it loads, so that a browser need not find one module after the other. */
function renderPage(
  { page, start }: PageSources,
  folder: string,
  addresses: readonly string[],
  version: string,
): string {
  const links = addresses.map((address) =>
    address.includes('.css?')
      ? `<link rel="stylesheet" href="${folder}/${address}">`
      : `<link rel="modulepreload" href="${folder}/${address}">`,
  );
  const script = `<script type="module" src="${folder}/${start}?v=${version}"></script>`;
  return page.replace('<!-- files -->', [...links, script].join('\n    '));
}
