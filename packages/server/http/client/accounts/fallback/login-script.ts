/**
 * What the login page runs, in the browser.
 *
 * > The page will attempt to call the JavaScript function `window.matrixLogin.onLogin(response)` when login has been
 * > successfully completed. […] Non-credential parameters valid for the `/login` endpoint can be provided as query string
 * > parameters here.
 *
 * Who has logged in by way of another service is led back with a token. It is taken in the window alone that has led them
 * there: whoever has made any other address wants somebody to be logged in as another.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#login-fallback}
 */
export const loginScript = `
const form = document.querySelector('form');
const problem = document.querySelector('[role=alert]');
const links = document.querySelectorAll('[data-provider]');
const address = new URL(location.href);
const mark = 'portico-login-page';

function identifierOf(user) {
  const isEmail = user.indexOf('@') > 0;
  return isEmail ? { type: 'm.id.thirdparty', medium: 'email', address: user } : { type: 'm.id.user', user };
}

async function logIn(proof) {
  const { matrixLogin } = window;
  if (!matrixLogin || !matrixLogin.onLogin) return 'This page is for clients that open it: nobody waits for a login here.';
  const request = { ...proof };
  const query = address.searchParams;
  for (const name of ['device_id', 'initial_device_display_name']) {
    if (query.has(name)) request[name] = query.get(name);
  }
  if (query.get('refresh_token') === 'true') request.refresh_token = true;
  const headers = { 'Content-Type': 'application/json' };
  const response = await fetch('/_matrix/client/v3/login', { method: 'POST', headers, body: JSON.stringify(request) });
  const answer = await response.json();
  if (!response.ok) return answer.error || 'Logging in failed.';
  matrixLogin.onLogin(answer);
  return '';
}

async function show(outcome) {
  try {
    problem.textContent = await outcome;
  } catch (error) {
    problem.textContent = 'The server cannot be reached.';
  }
}

function takeReturn() {
  const query = address.searchParams;
  const token = query.get('loginToken');
  if (token === null) return;
  const isExpected = query.has('login') && query.get('login') === sessionStorage.getItem(mark);
  query.delete('login');
  query.delete('loginToken');
  history.replaceState(null, '', address.href);
  const stray = 'That login was not begun on this page. Log in once more.';
  show(isExpected ? logIn({ type: 'm.login.token', token }) : stray);
}

function offerProviders() {
  const value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('-');
  sessionStorage.setItem(mark, value);
  const back = new URL(address);
  back.searchParams.set('login', value);
  back.hash = '';
  for (const link of links) {
    const path = '/_matrix/client/v3/login/sso/redirect/' + encodeURIComponent(link.dataset.provider);
    link.href = path + '?' + new URLSearchParams({ redirectUrl: back.href });
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { user, password } = form.elements;
  const identifier = identifierOf(user.value.trim());
  await show(logIn({ type: 'm.login.password', identifier, password: password.value }));
});

if (links.length > 0) {
  try {
    takeReturn();
    offerProviders();
  } catch (error) {
    problem.textContent = 'This window keeps nothing: only a password will do here.';
  }
}
`;
