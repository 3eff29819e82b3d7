import type { Profiles } from '../../../services/profile/profiles.ts';
import type { Endpoint } from '../../endpoint.ts';
import { deleteProfileField } from './delete-profile-field.ts';
import { getProfileField } from './get-profile-field.ts';
import { getUserProfile } from './get-profile.ts';
import { setProfileField } from './set-profile-field.ts';

export const profileEndpoints: readonly Endpoint<{ profiles: Profiles }>[] = [
  getUserProfile,
  getProfileField,
  setProfileField,
  deleteProfileField,
];
