import { RE2JS } from 're2js';

const maxPatternLength = 1000;
/** Names that are matched have no more: 255 bytes. */
const maxNameLength = 255;

/**
 * A test of whole names that begin as a namespace's expression says, or `undefined` for an expression that will not do.
 * They come from operators who copy them from elsewhere, and are tried on names that anybody may choose: so the engine is
 * one that needs time in proportion to the name, whatever the expression.
 *
 * An expression is tried from the beginning of a name, and may end before it does, as the server that bridges are written
 * for has it.
 */
export function compileNamespace(pattern: string): ((name: string) => boolean) | undefined {
  if (pattern === '' || pattern.length > maxPatternLength) return undefined;
  try {
    const compiled = RE2JS.compile(pattern);
    return (name) => name.length <= maxNameLength && compiled.matcher(name).lookingAt();
  } catch {
    return undefined;
  }
}
