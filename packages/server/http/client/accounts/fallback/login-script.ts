/**
 * What the login page runs, in the browser.
 *
 * > The page will attempt to call the JavaScript function `window.matrixLogin.onLogin(response)` when login has been
 * > successfully completed. […] Non-credential parameters valid for the `/login` endpoint can be provided as query string
 * > parameters here.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#login-fallback}
 */
export const loginScript = `
const form = document.querySelector('form');
const problem = document.querySelector('[role=alert]');

function identifierOf(user) {
  const isEmail = user.indexOf('@') > 0;
  return isEmail ? { type: 'm.id.thirdparty', medium: 'email', address: user } : { type: 'm.id.user', user };
}

async function logIn() {
  const { matrixLogin } = window;
  if (!matrixLogin || !matrixLogin.onLogin) return 'This page is for clients that open it: nobody waits for a login here.';
  const { user, password } = form.elements;
  const request = { type: 'm.login.password', identifier: identifierOf(user.value.trim()), password: password.value };
  const query = new URLSearchParams(location.search);
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

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  try {
    problem.textContent = await logIn();
  } catch (error) {
    problem.textContent = 'The server cannot be reached.';
  }
});
`;
