import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import type { SourceFile } from './file-list.ts';

const imports = /(^|[;}])(\s*(?:import|export)\b(?:[^'"`;()]*?\bfrom)?\s*)(['"])([^'"\n]+)\3/gm;
const ourPackage = /^@portico\/([a-z]+)\//;

/**
 * A module as a browser takes it: without types, and importing by the addresses of the other files. Types become blanks, so lines
 * and columns stay what they are in the source.
 */
export function toBrowserModule(file: SourceFile, packages: string, addressOf: (importedAs: string) => string): string {
  const code = file.kind === 'typescript' ? stripTypeScriptTypes(file.text) : file.text.replace(/\n\/\/# source.*/, '');
  return code.replaceAll(imports, (_all, before: string, words: string, quote: string, target: string) => {
    return `${before}${words}${quote}./${addressOf(locate(file.path, packages, target))}${quote}`;
  });
}

function locate(path: string, packages: string, target: string): string {
  if (target.startsWith('.')) return join(dirname(path), target);
  return ourPackage.test(target) ? join(packages, target.replace(ourPackage, '$1/')) : target;
}
