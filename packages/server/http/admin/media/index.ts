import type { Quarantine } from '../../../services/media/quarantine.ts';
import type { RemoveUnused } from '../../../services/media/remove-unused.ts';
import type { RoomQuarantines } from '../../../services/media/room-quarantines.ts';
import type { Uploads } from '../../../services/media/uploads.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deleteUnusedMedia, deleteUnusedMediaOfServer } from './delete-unused-media.ts';
import { protectMedia, unprotectMedia } from './protect.ts';
import { purgeMediaCache } from './purge-media-cache.ts';
import { getRoomMediaQuarantine, quarantineMediaOfRoom } from './quarantine-room.ts';
import { quarantineMedia, quarantineMediaOfUser, releaseMedia } from './quarantine.ts';
import { deleteMedia, deleteMediaOfUser, listMediaOfUser } from './uploads.ts';

export type MediaAdminServices = {
  readonly quarantine: Quarantine;
  readonly roomQuarantines: RoomQuarantines;
  readonly uploads: Uploads;
  readonly removeUnusedMedia: RemoveUnused;
};

/** What administrators do about files. */
export const mediaAdminEndpoints: readonly Endpoint<MediaAdminServices>[] = [
  quarantineMedia,
  releaseMedia,
  quarantineMediaOfUser,
  quarantineMediaOfRoom,
  getRoomMediaQuarantine,
  protectMedia,
  unprotectMedia,
  purgeMediaCache,
  listMediaOfUser,
  deleteMediaOfUser,
  deleteMedia,
  deleteUnusedMedia,
  deleteUnusedMediaOfServer,
];
