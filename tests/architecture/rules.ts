import type { SourceFile } from '../../scripts/imports.ts';

/** The parts of the program, lowest first. A part may import those that it lists, and itself. */
type Part = { readonly name: string; readonly folders: readonly string[]; readonly mayImport: readonly string[] };

const low = ['protocol', 'storage', 'config', 'errors', 'observability'];

const parts: readonly Part[] = [
  { name: 'protocol', folders: ['packages/protocol/'], mayImport: [] },
  { name: 'web', folders: ['packages/web/'], mayImport: ['protocol'] },
  { name: 'storage', folders: ['packages/storage/'], mayImport: ['protocol'] },
  { name: 'config', folders: ['packages/server/config/'], mayImport: ['protocol'] },
  { name: 'errors', folders: ['packages/server/errors/'], mayImport: ['protocol', 'storage'] },
  { name: 'observability', folders: ['packages/server/observability/'], mayImport: ['config'] },
  { name: 'services', folders: ['packages/server/services/'], mayImport: [...low, 'federation-api'] },
  { name: 'federation-api', folders: ['packages/server/federation-api/'], mayImport: ['protocol', 'config', 'errors'] },
  {
    name: 'http',
    folders: ['packages/server/http/'],
    mayImport: ['protocol', 'config', 'errors', 'observability', 'services', 'federation-api'],
  },
  { name: 'process', folders: ['packages/server/process/'], mayImport: ['config', 'observability', 'http'] },
  { name: 'cli', folders: ['packages/server/cli/'], mayImport: ['config', 'observability', 'process', 'protocol'] },
  {
    name: 'compose',
    folders: ['packages/server/compose.ts', 'packages/server/compose/'],
    mayImport: [...low, 'services', 'federation-api', 'http', 'process'],
  },
  {
    name: 'main',
    folders: ['packages/server/main.ts'],
    mayImport: [...low, 'process', 'cli', 'compose'],
  },
];

function partOf(path: string): Part | undefined {
  return parts.find(({ folders }) => folders.some((folder) => path.startsWith(folder)));
}

/** What tests share. */
const testFolders = ['packages/testkit/', 'packages/web/testing/'];

function isTest(path: string): boolean {
  const isKit = testFolders.some((folder) => path.startsWith(folder));
  return path.endsWith('.test.ts') || isKit || !path.startsWith('packages/');
}

/** Everything in the sources that breaks a rule of the architecture, as sentences. */
export function findViolations(sources: readonly SourceFile[]): string[] {
  const program = sources.filter(({ path }) => !isTest(path));
  return [...program.flatMap(checkFile), ...findCycles(program)];
}

function checkFile(file: SourceFile): string[] {
  return [checkDirections, checkPurity, checkServices, checkEnvironment, checkConnections].flatMap((check) =>
    check(file),
  );
}

function checkDirections({ path, imports }: SourceFile): string[] {
  const part = partOf(path);
  if (!part) return [`${path} belongs to no part of the program: name it in tests/architecture/rules.ts`];
  return imports
    .map(({ target }) => target)
    .filter((target) => target.startsWith('packages/'))
    .filter((target) => {
      const other = partOf(target);
      return other !== part && !part.mayImport.includes(other?.name ?? '');
    })
    .map((target) => `${path} imports ${target}: ${part.name} may import ${part.mayImport.join(', ') || 'nothing'}`);
}

/** What only the shell may use: the pure core is synchronous functions of their arguments. */
const impure =
  /\b(?:Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|performance\.now|async |await |fetch\()/;

function checkPurity({ path, text, imports }: SourceFile): string[] {
  if (!path.startsWith('packages/protocol/')) return [];
  const allowed = path.startsWith('packages/protocol/privacy/') ? [] : ['node:crypto', 'node:buffer'];
  const foreign = imports
    .map(({ target }) => target)
    .filter((target) => !target.startsWith('packages/') && !allowed.includes(target))
    .map((target) => `${path} imports ${target}: protocol depends on nothing`);
  const [found] = impure.exec(text) ?? [];
  return found === undefined ? foreign : [...foreign, `${path} uses ${found.trim()}: protocol is pure and synchronous`];
}

const statusCode = /\b(?:status|statusCode|httpStatus)\b\s*[:=(]\s*[1-5]\d\d\b/;

function checkServices({ path, text, imports }: SourceFile): string[] {
  if (!path.startsWith('packages/server/services/')) return [];
  const violations = imports
    .filter(({ target }) => target === 'fastify' || target.startsWith('@fastify/') || target === 'node:http')
    .map(({ target }) => `${path} imports ${target}: services do not know HTTP`);
  return statusCode.test(text)
    ? [...violations, `${path} contains an HTTP status: services do not know HTTP`]
    : violations;
}

function checkEnvironment({ path, text }: SourceFile): string[] {
  const reads = /\bprocess\.env\b/.test(text) && !path.startsWith('packages/server/config/');
  return reads ? [`${path} reads process.env: only config/ does`] : [];
}

/** Where private addresses are refused and answers are bounded; and what speaks to whom the operator has named. */
const connecting = [
  'packages/server/services/outbound/',
  'packages/server/services/mail/smtp-transport.ts',
  'packages/server/process/command-client.ts',
];
const clients: ReadonlySet<string> = new Set(['undici', 'nodemailer', 'node:http2', 'node:dgram', 'node:dns']);
const opensSocket =
  /import \{[^}]*\b(?:connect|createConnection|request|get|(?<!type )Socket)\b[^}]*\} from 'node:(?:net|tls|https?)'/;
const opensByName = /\bnew (?:WebSocket|EventSource)\b|(?<![.\w])fetch\(/;
/** Something of the file's own, or in the script of a page. */
const ownFetch = /\bfunction fetch\b|\bfetch[,:]|\bfetch\(\w+:|\bfetch\('\/_matrix\//;

function checkConnections({ path, text, imports }: SourceFile): string[] {
  if (!path.startsWith('packages/server/') || connecting.some((allowed) => path.startsWith(allowed))) return [];
  const usesClient = imports.some(({ target, typeOnly }) => !typeOnly && clients.has(target.replace('/promises', '')));
  const fetches = opensByName.test(text) && !ownFetch.test(text);
  return usesClient || fetches || opensSocket.test(text)
    ? [`${path} opens connections: only services/outbound does`]
    : [];
}

/** Circles of imports, types included: whoever reads one file of a circle has to read them all. */
function findCycles(files: readonly SourceFile[]): string[] {
  const imports = new Map(files.map((file) => [file.path, file.imports.map(({ target }) => target)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.push(`These import each other in a circle: ${[...trail.slice(start), path].join(' → ')}`);
    if (start !== -1 || done.has(path)) return;
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return cycles;
}
