import type { Media } from '../../../services/media/media-service.ts';
import { endpoint } from '../../endpoint.ts';
import { mediaConfig } from './schemas.ts';

const answer = ({ media }: { media: Media }) => {
  const config = { 'm.upload.size': media.maxUploadSize };
  return () => config;
};

export const getMediaConfig = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v1/media/config',
    operationId: 'getConfigAuthed',
    summary: 'Get the configuration for the content repository.',
    auth: 'user',
    response: mediaConfig,
  },
  answer,
);

export const getLegacyMediaConfig = endpoint(
  {
    method: 'GET',
    path: '/_matrix/media/v3/config',
    unstablePaths: ['/_matrix/media/r0/config', '/_matrix/media/v1/config'],
    operationId: 'getConfig',
    summary: 'Get the configuration for the content repository.',
    auth: 'user',
    response: mediaConfig,
  },
  answer,
);
