import { getHierarchy as operation } from '../../../federation-api/spaces.ts';
import type { HierarchyDependencies } from '../../../services/spaces/hierarchy.ts';
import { readServerHierarchy } from '../../../services/spaces/server-hierarchy.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

export const getHierarchy = endpoint(operation, ({ spaces }: { readonly spaces: HierarchyDependencies }) => {
  return async ({ origin, params: { roomId }, query }) =>
    rawJson(await readServerHierarchy(spaces, origin, { roomId, suggestedOnly: query.suggested_only ?? false }));
});
