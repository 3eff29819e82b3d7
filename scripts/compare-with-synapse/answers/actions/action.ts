import type { World } from '../world.ts';

/** Something that people do. It may find that there is nothing to do. */
export type Action = (world: World) => Promise<void>;
