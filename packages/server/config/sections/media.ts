import { boolean, size, text } from '../scalar-types.ts';
import { section, setting } from '../setting.ts';
import { list } from '../structured-types.ts';

export const media = section('Files that people send.', {
  require_authentication: setting(boolean, {
    default: 'true',
    help: 'Whether media can be had with an access token only. false: the old endpoints stay open to those without one.',
  }),
  max_upload_size: setting(size('1KB', '1TB'), {
    default: '100MB',
    help: 'The largest file one can upload.',
  }),
  max_remote_size: setting(size('1KB', '1TB'), {
    default: '100MB',
    help: 'The largest file of another server that is fetched for somebody here.',
  }),
  remote_cache_size: setting(size('1MB', '1PB'), {
    default: '10GB',
    help: 'How much of other servers’ files is kept, images of previews among them. What nobody has looked at for the longest time goes first.',
  }),
});

export const urlPreviews = section('Previews of links.', {
  enabled: setting(boolean, {
    default: 'false',
    help:
      'Whether the server fetches pages that people ask for previews of. Off, because it tells the sites that somebody here has seen ' +
      'their address.',
  }),
  allow_hosts: setting(list(text), {
    default: '[]',
    help: 'If there are any, only pages and images of these hosts are fetched. * stands for any characters.',
    example: '["*.example.org", "example.org"]',
  }),
  deny_hosts: setting(list(text), {
    default: '[]',
    help: 'Hosts that are never asked, wherever addresses lead.',
    example: '["*.internal.example"]',
  }),
  accept_language: setting(text, {
    default: 'en',
    help: 'The languages in which pages are asked for, the best first, as browsers say it.',
    example: '"de, en;q=0.5"',
  }),
});
