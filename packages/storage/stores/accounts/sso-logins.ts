import { loginSteps } from './login-steps.ts';

/** Logins by way of another service that are under way. */
export const ssoLogins = loginSteps({ table: 'sso_logins', key: 'login_hash', name: 'sso-logins', guard: 'sso.over' });
