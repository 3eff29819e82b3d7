import type { PageFiles } from '../../services/web/page-files.ts';
import type { Endpoint } from '../endpoint.ts';
import { getAccountPage, getAccountPageFile, getAccountPageWithSlash } from './account-page.ts';

export type WebServices = { readonly accountPage: PageFiles };

/** What browsers ask for. */
export const webEndpoints: readonly Endpoint<WebServices>[] = [
  getAccountPage,
  getAccountPageWithSlash,
  getAccountPageFile,
];
