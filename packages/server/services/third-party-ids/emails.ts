import { type MailContent, writeMail } from '../mail/message.ts';

/** What an email address is proved for. */
export type Purpose = 'add' | 'register' | 'reset';

const ignore = 'If it was not you, ignore this message: nothing happens unless the link is followed.';
const nothing = 'If it was not you, ignore this message: nothing has happened.';

/** The email whose link proves that its address is somebody's. */
export function linkEmail(purpose: Purpose, serverName: string, userId: string | undefined, link: string): MailContent {
  switch (purpose) {
    case 'add':
      return writeMail(`Confirm your email address for ${serverName}`, [
        `Somebody wants to add this email address to their account on ${serverName}. If it was you, follow this link to confirm it:`,
        { link },
        ignore,
      ]);
    case 'register':
      return writeMail(`Confirm your email address for ${serverName}`, [
        `Somebody makes an account on ${serverName} with this email address. If it is you, follow this link to go on:`,
        { link },
        ignore,
      ]);
    case 'reset':
      return writeMail(`Reset your password on ${serverName}`, [
        `Somebody wants to set a new password for ${userId ?? 'your account'}. If it was you, follow this link, confirm, and go back to where you asked:`,
        { link },
        'If it was not you, do not follow the link: whoever asked could then choose a password for your account.',
      ]);
    default:
      return purpose satisfies never;
  }
}

/**
 * > it is recommended that the server instead send an email to the user with instructions on how to reset their password.
 * > This prevents malicious parties from being able to determine if a given email address has an account
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3registeremailrequesttoken}
 */
export function otherwiseEmail(purpose: Purpose, serverName: string): MailContent {
  if (purpose === 'reset') {
    return writeMail(`No account with this address on ${serverName}`, [
      `Somebody wants to reset a password on ${serverName} by this email address, which belongs to no account there.`,
      'If it was you, your account may have another address, or none. You can also make a new one.',
      nothing,
    ]);
  }
  return writeMail(`You have an account on ${serverName} already`, [
    `Somebody wants to use this email address for an account on ${serverName}. It belongs to one already.`,
    'If it was you, log in to that account. If you have forgotten its password, choose "forgot password" where you log in.',
    nothing,
  ]);
}
