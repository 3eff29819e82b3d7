import { getVersion as operation } from '../../federation-api/version.ts';
import { endpoint } from '../endpoint.ts';
import type { Program } from '../program.ts';

export const getVersion = endpoint(operation, ({ program }: { program: Program }) => {
  const { name, version } = program;
  return () => ({ server: { name, version } });
});
