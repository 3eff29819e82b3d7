import type { OAuthStep } from '../../../services/oauth/steps.ts';
import { documentOf } from '../../document.ts';
import { page, type Page } from '../../result.ts';
import { linkTo, showClientName, strong } from './words.ts';

type Consent = Extract<OAuthStep, { kind: 'consent' }>;

/** Says which client it is, what it gets, in whose account, and where that leads. */
export function consentPage(consent: Consent): Page {
  const { client, userId, power } = consent;
  if (power === 'refused') return refusalPage(consent);
  const content =
    `<p>${showClientName(client)} wants to get in to the account ${strong(userId)}. It will be able to read and write ` +
    `everything there, as you can. Go on only if that is where you began.</p>\n` +
    aboutPower[power] +
    aboutDevice(consent) +
    documentsOf(consent) +
    `<form method="post">` +
    `<p><button type="submit" name="answer" value="yes">Let it in</button> ` +
    `<button type="submit" name="answer" value="no">Do not</button></p></form>`;
  return formPage('Let an app in?', content, consent);
}

function formPage(title: string, content: string, { target }: Consent): Page {
  return page(documentOf(title, content), target === undefined ? {} : { formTargets: [target] });
}

const aboutPower = {
  none: '',
  withheld: '<p>You administer this server; this app will not be able to.</p>\n',
  asked:
    '<p><strong>You administer this server, and this app asks to do so as well: it will be able to read, change and delete ' +
    'what belongs to others, and to shut anybody out.</strong> Let it in only if it is meant for that.</p>\n',
} as const;

/** Nothing is left to them but to say no, which tells the app. */
function refusalPage(consent: Consent): Page {
  const content =
    `<p>${showClientName(consent.client)} asks to administer this server. Only administrators can let it do that, and ` +
    `${strong(consent.userId)} is none: it does not get in.</p>\n` +
    '<form method="post"><p><button type="submit" name="answer" value="no">Go back</button></p></form>';
  return formPage('This app does not get in', content, consent);
}

/** Only an address on the web proves something: nobody else gets what is sent there. */
function aboutDevice({ deviceId, takesOver, target, waiting }: Consent): string {
  const lines = [
    takesOver === undefined
      ? `It will be your new device ${strong(deviceId)}.`
      : `It takes the place of your device ${strong(takesOver)} (${strong(deviceId)}), which is logged out elsewhere.`,
    ...(target === undefined ? [] : [`You are led to ${strong(target)} then.`]),
    ...(target?.startsWith('https:') === true ? [] : ['Nobody has checked that it is what it says.']),
    ...(waiting === undefined ? [] : [aboutWaiting(waiting)]),
  ];
  return `<p>${lines.join(' ')}</p>\n`;
}

/**
 * > It is RECOMMENDED to inform the user that they are authorizing a device during the user-interaction step and to confirm that the
 * > device is in their possession.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc8628#section-5.4}
 */
function aboutWaiting({ userCode, since }: NonNullable<Consent['waiting']>): string {
  const minutes = Math.floor(since / 60_000);
  const ago = minutes === 0 ? 'a moment ago' : minutes === 1 ? 'a minute ago' : `${minutes} minutes ago`;
  return (
    `It asked for that ${ago}, on a device that shows ${strong(userCode)} now. Let it in only if you have that device before you and it ` +
    'shows this code; if somebody has sent you the code, they are trying to get in to your account.'
  );
}

function documentsOf({ client }: Consent): string {
  const links = [
    linkTo(client.uri, 'About it'),
    ...(client.policyUri === undefined ? [] : [linkTo(client.policyUri, 'What it does with your data')]),
    ...(client.termsUri === undefined ? [] : [linkTo(client.termsUri, 'Its terms')]),
  ];
  return `<p>What it says itself: ${links.join(', ')}.</p>\n`;
}
