import { clientAddress, identityProvider } from '../sso-types.ts';
import { section, setting } from '../setting.ts';
import { list } from '../structured-types.ts';

export const singleSignOn = section(
  'Logging in by way of other services (OpenID Connect). Without a provider there is none of it.',
  {
    providers: setting(list(identityProvider), {
      default: '[]',
      help:
        'The services. id is part of the address that they lead people back to, public_base_url/_portico/client/v1/sso/callback/ID, and does not ' +
        'change later: accounts are linked with it. client_secret_file is a file whose first line is the client_secret. claims says which ' +
        'claims make the user name (localpart: preferred_username), the display_name (name) and the email address (email, which counts with email_verified; another one with its own name and _verified). Nobody gets in ' +
        'without the required_claims. new_accounts: nobody (the default) or everybody who comes from there may get an account. ' +
        'adopt_accounts: whether somebody who has the user name of an account here gets into it, which is for services alone that have ' +
        'always been those of its people. backchannel_logout_enabled: whether it may log people out here, by way of ' +
        'public_base_url/_portico/client/v1/sso/logout/ID.',
      example:
        '[{ id: example, name: Example, issuer: "https://id.example.org", client_id: portico, client_secret: a secret, new_accounts: everybody }]',
      secret: true,
    }),
    trusted_clients: setting(list(clientAddress), {
      default: '[]',
      help:
        'Addresses of clients that people get to without being asked whether they want to log in there, with everything below them. ' +
        'Schemes of apps as well, such as io.element.desktop:.',
      example: '["https://app.example.org", "io.element.desktop:"]',
    }),
  },
);
