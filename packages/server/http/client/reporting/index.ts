import type { OpenIdTokens } from '../../../services/openid/openid-tokens.ts';
import type { Reports } from '../../../services/reporting/reports.ts';
import type { Endpoint } from '../../endpoint.ts';
import { reportEvent, reportRoom, reportUser } from './report-content.ts';
import { requestOpenIdToken } from './request-openid-token.ts';

/** Complaints to the administrators, and proofs of who one is to others. */
export const reportingEndpoints: readonly Endpoint<{ reports: Reports; openIdTokens: OpenIdTokens }>[] = [
  reportRoom,
  reportEvent,
  reportUser,
  requestOpenIdToken,
];
