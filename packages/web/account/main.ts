import { startAccountPage } from './start.ts';

const root = document.querySelector('#page');
if (root !== null) {
  startAccountPage({
    root,
    // The page may be below a prefix of the address: everything it asks for is beside it.
    base: new URL('.', document.baseURI),
    send: (address, request) => fetch(address, request),
    place: {
      address: new URL(location.href),
      show: (address) => history.replaceState(null, '', address),
      memory: sessionStorage,
      random: () => crypto.randomUUID(),
    },
    onLeave: (leave) => addEventListener('pagehide', leave),
  });
}
