import { dirname, normalize } from 'node:path';

/** What the repository has, as the documents may name it. */
export type Repository = {
  /** Paths of all files, from the root. */
  readonly files: readonly string[];
  /** Names of what `npm run` knows. */
  readonly npmScripts: ReadonlySet<string>;
};

export type Document = { readonly path: string; readonly text: string };

/** Folders of this repository at its root, by which a path is known as one of its own. */
const tops = ['packages', 'docs', 'scripts', 'bench', 'vectors', 'conformance', 'bin', 'packaging', 'tests'];

/** Folders of `packages/server`, from where documents about it name the rest. */
const parts = ['services', 'http', 'compose', 'config', 'errors', 'process', 'observability', 'federation-api'];

/** Folders of the protocol's own test suite, which documents speak of, too. */
const elsewhere = /^tests\/(?:csapi|msc\d+)$/;

/** Everything that a document names and the repository does not have, as sentences. */
export function findMissing(document: Document, repository: Repository): string[] {
  const missing = [
    ...wordsOf(document).filter((word) => isPath(word) && !hasPath(repository, word)),
    ...linksOf(document).filter((path) => !hasExactly(repository.files, path)),
  ];
  return [
    ...missing.map((path) => `${document.path} names ${path}, which is not there`),
    ...missingCommands(document.text, repository),
  ];
}

/** The words of code: between backquotes, and in indented lines. */
function wordsOf({ text }: Document): string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const blocks = [...text.matchAll(/^ {4}(.+)$/gm)].map(([, code = '']) => code);
  return [...spans, ...blocks].flatMap((code) => code.split(/\s+/)).map((word) => word.replaceAll(/^\(|[),;:]+$/g, ''));
}

function isPath(word: string): boolean {
  if (/[*…<>{}$]/.test(word) || word.startsWith('/') || word.includes('://') || elsewhere.test(word)) return false;
  return /^[@\w./-]+\.(?:ts|py|sh|rs)$/.test(word) || [...tops, ...parts].some((top) => word.startsWith(`${top}/`));
}

/** Documents leave out folders that the reader knows: what they name must be the end of a path. */
function hasPath({ files }: Repository, word: string): boolean {
  const path = word
    .replace(/^(?:\.\.?\/)+/, '')
    .replace(/^@portico\//, 'packages/')
    .replace(/\/$/, '');
  if (path.startsWith('path/to/')) return true;
  if (tops.some((top) => path.startsWith(`${top}/`))) return hasExactly(files, path);
  return files.some((file) => `/${file}`.endsWith(`/${path}`) || file.includes(`/${path}/`));
}

/** Where links lead that are no addresses of the web. */
function linksOf({ path, text }: Document): string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !target.includes(':'))
    .map((target) => normalize(`${dirname(path)}/${target}`));
}

function hasExactly(files: readonly string[], path: string): boolean {
  return files.some((file) => file === path || file.startsWith(`${path}/`));
}

function missingCommands(text: string, { files, npmScripts }: Repository): string[] {
  const scripts = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => name);
  const tests = [...text.matchAll(/npm test -- ([\w/ .-]+)/g)].flatMap(([, words = '']) => words.trim().split(/\s+/));
  return [
    ...scripts.filter((name) => !npmScripts.has(name)).map((name) => `npm run ${name} is told of and not there`),
    ...tests
      .filter((part) => !files.some((file) => file.endsWith('.test.ts') && file.includes(part)))
      .map((part) => `npm test -- ${part} is told of and runs nothing`),
  ];
}
