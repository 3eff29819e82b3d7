import { boolean } from '../scalar-types.ts';
import { section, setting } from '../setting.ts';

export const oauth = section('Logging in with OAuth 2.0, on pages of this server, instead of in each app.', {
  enabled: setting(boolean, {
    default: 'false',
    help:
      'Whether apps may log people in so. They learn of it, and those that can prefer it; all others go on as before. People have to reach the ' +
      'server at public_base_url. Switched off again, those who are logged in so have to log in anew within the hour.',
  }),
});
