import { MatrixError } from '../../errors/matrix-error.ts';

export type CommandParams = Readonly<Record<string, unknown>>;

/** Reads the parameters of a command by name. Throws `request.bad-json` where one is missing or of the wrong type. */
export function parseRecord(params: CommandParams) {
  function optional<T>(name: string, is: (value: unknown) => value is T): T | undefined {
    const value = params[name];
    if (value === undefined || value === null) return undefined;
    if (!is(value)) throw new MatrixError('request.bad-json', { message: `${name} has the wrong type.` });
    return value;
  }
  const isText = (value: unknown): value is string => typeof value === 'string';
  const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
  return {
    optionalText: (name: string) => optional(name, isText),
    optionalNumber: (name: string) => optional(name, isNumber),
    flag: (name: string): boolean => params[name] === true,
    text(name: string): string {
      const value = optional(name, isText);
      if (value === undefined) throw new MatrixError('request.bad-json', { message: `${name} is missing.` });
      return value;
    },
  };
}
