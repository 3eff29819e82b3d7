import { getVersion as operation } from '../../federation-api/version.ts';
import { endpoint } from '../endpoint.ts';

export type Program = { readonly name: string; readonly version: string };

export const getVersion = endpoint(operation, ({ program }: { program: Program }) => {
  const { name, version } = program;
  return () => ({ server: { name, version } });
});
