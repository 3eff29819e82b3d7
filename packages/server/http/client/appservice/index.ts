import type { AppServicePing } from '../../../services/appservices/ping.ts';
import type { ThirdParty } from '../../../services/appservices/third-party.ts';
import type { NetworkDirectories } from '../../../services/directory/network-directories.ts';
import type { Endpoint } from '../../endpoint.ts';
import { removeFromAppserviceRoomDirectory, updateAppserviceRoomDirectoryVisibility } from './network-directory.ts';
import { pingAppservice } from './ping-appservice.ts';
import {
  getProtocolMetadata,
  getProtocols,
  queryLocationByAlias,
  queryLocationByProtocol,
  queryUserById,
  queryUserByProtocol,
} from './third-party.ts';

export type AppServiceServices = {
  readonly ping: AppServicePing;
  readonly thirdParty: ThirdParty;
  readonly networks: NetworkDirectories;
};

/** What application services add to the client-server API, and what people find through them. */
export const appServiceEndpoints: readonly Endpoint<AppServiceServices>[] = [
  pingAppservice,
  updateAppserviceRoomDirectoryVisibility,
  removeFromAppserviceRoomDirectory,
  getProtocols,
  getProtocolMetadata,
  queryLocationByProtocol,
  queryUserByProtocol,
  queryLocationByAlias,
  queryUserById,
];
