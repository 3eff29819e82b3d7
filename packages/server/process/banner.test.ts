import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { renderBanner } from './banner.ts';

async function bannerOf(serve: readonly string[], baseUrl: string): Promise<string> {
  const listeners = [{ address: '127.0.0.1', port: 8008, serve }];
  const environment = { PORTICO_LISTENERS: JSON.stringify(listeners), PORTICO_PUBLIC_BASE_URL: baseUrl };
  return renderBanner(await loadConfig({ environment }), []);
}

test('the banner says where account pages are, below the prefix that the address has', async () => {
  assert.match(
    await bannerOf(['client', 'web'], 'https://a.example/matrix/'),
    /^Account pages are at https:\/\/a\.example\/matrix\/account$/m,
  );
});

test('the banner says that there are none, where no listener serves them', async () => {
  const banner = await bannerOf(['client'], 'https://a.example');
  assert.match(banner, /^Account pages are not served/m);
  assert.doesNotMatch(banner, /\/account/);
});
