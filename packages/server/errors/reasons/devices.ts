import type { ErrorEntry } from '../error-entry.ts';

/** Devices, and keys for end-to-end encryption with their backups. */
export const deviceErrors = {
  'device.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'You have no such device.' },
  'device.unknown': { errcode: 'M_UNKNOWN_DEVICE', status: 400, message: 'The user has no such device.' },
  'device.required': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'This takes a device: name one with the parameter device_id.',
  },
  'devices.changed': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'There were new devices in the meantime; try again.',
  },
  'keys.already-there': { errcode: 'M_UNKNOWN', status: 400, message: 'There is a one-time key of this ID already.' },
  'keys.too-many-algorithms': {
    errcode: 'M_TOO_LARGE',
    status: 413,
    message: 'A device has keys of at most 10 algorithms.',
  },
  'keys.invalid-signature': { errcode: 'M_INVALID_SIGNATURE', status: 400, message: 'A signature is not valid.' },
  'dehydrated-device.not-found': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'There is no such dehydrated device.',
  },
  'backup.not-found': {
    errcode: 'M_NOT_FOUND',
    status: 404,
    message: 'There is no such backup, or no such key in it.',
  },
  'backup.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'You have too many backups; delete old ones first.',
  },
  'backup.too-large': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'There are too many keys in this backup.',
  },
  'backup.wrong-version': {
    errcode: 'M_WRONG_ROOM_KEYS_VERSION',
    status: 403,
    message: 'This is not the current version of the backup.',
  },
} as const satisfies Record<string, ErrorEntry>;
