import { randomBytes } from 'node:crypto';
import type { Database } from '@portico/storage';
import { leaveJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { turnAwayJob } from '@portico/storage/stores/rooms/blocked-rooms.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import { type AccountJobs, createAccountJobs } from '../services/accounts/account-jobs.ts';
import { createEraseJob } from '../services/accounts/erase-job.ts';
import { departureContent, eraseJob, leaveRooms } from '../services/accounts/leave-rooms-job.ts';
import { joinJob } from '../services/federation/rooms/joins-under-way.ts';
import { settleJoins } from '../services/federation/rooms/settle-joins-job.ts';
import { tellLeave, tellLeaveJob } from '../services/accounts/tell-leave-job.ts';
import type { Devices } from '../services/devices/devices.ts';
import type { ContentStore } from '../services/media/content-store.ts';
import { createQuarantineRoomJob, quarantineRoomJob } from '../services/media/quarantine-room-job.ts';
import { createRemoveMedia } from '../services/media/remove-media.ts';
import type { InviteRules } from '../services/privacy/invite-rules.ts';
import { rejectInvites, rejectInvitesJob } from '../services/privacy/reject-invites-job.ts';
import { profileChanges } from '../services/profile/profile-job.ts';
import { profileJob, type Profiles } from '../services/profile/profiles.ts';
import { createEvictJob, evictJob } from '../services/rooms/blocking/evict-job.ts';
import { createTakeOut } from '../services/rooms/blocking/take-out.ts';
import { createTurnAwayJob } from '../services/rooms/blocking/turn-away-job.ts';
import { createRedactUserJob, redactUserJob } from '../services/rooms/redacting/redact-user-job.ts';
import { createRedactRelatedJob, redactRelatedJob } from '../services/rooms/redact-related.ts';
import type { RemoteRooms } from '../services/rooms/remote-rooms.ts';
import type { RoomWriter } from '../services/rooms/room-writer.ts';
import { createEndSessionsJob, endSessionsJob } from '../services/sso/end-sessions-job.ts';
import type { UnreadService } from '../services/unread/unread-service.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly inviteRules: InviteRules;
  readonly writer: RoomWriter;
  readonly unread: UnreadService;
  readonly profiles: Profiles;
  readonly devices: Devices;
  readonly store: ContentStore;
  readonly remote: () => RemoteRooms | undefined;
  readonly now: () => number;
  readonly log: Logger;
};

/** What changes of an account mean beyond it, done in the background. */
export function createAccountChanges({
  config,
  db,
  inviteRules,
  writer,
  unread,
  profiles,
  devices,
  store,
  remote,
  now,
  log,
}: Context): AccountJobs {
  const departure = departureContent({ stableMarker: config.privacy.deactivationMarker === 'both' });
  const takeOut = createTakeOut({ writer, remote, log });
  return createAccountJobs({
    db,
    writer,
    kinds: {
      [profileJob]: profileChanges(profiles),
      [leaveJob]: leaveRooms({ db, departure, remote, now }),
      [tellLeaveJob]: tellLeave({ departure, remote }),
      [joinJob]: settleJoins({ db, remote, profileOf: profiles.memberProfile, departure }),
      [rejectInvitesJob]: rejectInvites({ db, inviteRules, remote }),
      [redactRelatedJob]: createRedactRelatedJob({ db, writer, unread, now }),
      [redactUserJob]: createRedactUserJob({ db, writer, unread, now }),
      [evictJob]: createEvictJob({ db, takeOut, now }),
      [quarantineRoomJob]: createQuarantineRoomJob({ db, now }),
      [turnAwayJob]: createTurnAwayJob({ db, takeOut }),
      [endSessionsJob]: createEndSessionsJob({ db, devices, log }),
      [eraseJob]: createEraseJob({ db, removeMedia: createRemoveMedia({ db, store }), now, log }),
    },
    now,
    newClaim: () => randomBytes(9).toString('base64url'),
    log,
  });
}
