import type { Registration } from './application-services/registration.ts';
import type { IdentityProvider } from './identity-provider.ts';
import type { SmtpConfig } from './mail.ts';
import type { schema } from './schema.ts';
import type { ValuesOf } from './setting.ts';
import type { TestingConfig } from './testing.ts';

type Values = ValuesOf<typeof schema>;

/** The complete, checked, frozen configuration. All paths are absolute. */
export type Config = Omit<Values, 'publicBaseUrl' | 'applicationServices'> & {
  readonly publicBaseUrl: string;
  readonly applicationServices: readonly Registration[];
  /** Whom mail is handed to; `undefined` where none is sent. */
  readonly smtp: SmtpConfig | undefined;
  /** By way of which people log in; those of `singleSignOn`, complete. */
  readonly identityProviders: readonly IdentityProvider[];
  /** The configuration file, if there is one. */
  readonly file: string | undefined;
  /** That file and those which it leads to, certificates aside: all that is needed to configure the server anew. */
  readonly files: readonly string[];
  readonly testing: TestingConfig;
};

export type Listener = Config['listeners'][number];
export type Served = Listener['serve'][number];
