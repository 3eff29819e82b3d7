import type { HierarchyDependencies } from '../../../services/spaces/hierarchy.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getRoomSummary } from './get-room-summary.ts';
import { getSpaceHierarchy } from './get-space-hierarchy.ts';

/** What one may know of rooms without being in them. */
export const spaceEndpoints: readonly Endpoint<{ spaces: HierarchyDependencies }>[] = [
  getSpaceHierarchy,
  getRoomSummary,
];
