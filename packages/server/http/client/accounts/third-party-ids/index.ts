import type { AccountServices } from '../../../../services/accounts/account-services.ts';
import type { Endpoint } from '../../../endpoint.ts';
import { addThirdPartyId } from './add-third-party-id.ts';
import { bindThirdPartyId } from './bind-third-party-id.ts';
import { deleteThirdPartyId } from './delete-third-party-id.ts';
import { getThirdPartyIds } from './get-third-party-ids.ts';
import { postThirdPartyIds } from './post-third-party-ids.ts';
import {
  phoneTokenEndpoints,
  requestTokenToAddEmail,
  requestTokenToRegister,
  requestTokenToResetPassword,
} from './request-email-token.ts';
import { confirmEmailLink, followEmailLink } from './submit-email-token.ts';
import { unbindThirdPartyId } from './unbind-third-party-id.ts';

export const thirdPartyIdEndpoints: readonly Endpoint<AccountServices>[] = [
  getThirdPartyIds,
  postThirdPartyIds,
  addThirdPartyId,
  bindThirdPartyId,
  unbindThirdPartyId,
  deleteThirdPartyId,
  requestTokenToAddEmail,
  requestTokenToRegister,
  requestTokenToResetPassword,
  ...phoneTokenEndpoints,
  followEmailLink,
  confirmEmailLink,
];
