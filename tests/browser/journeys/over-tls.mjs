import assert from 'node:assert/strict';

import { greeting, register } from './steps.mjs';

export const PAGE_LOADS = 3;

/** A site over TLS: HTTP/2 for pages and assets, and a cookie that never goes out in plain text. */
export default async function walk({ page, url }) {
  await page.goto('/');
  await page.waitForLoadState('networkidle');
  const protocols = await page.evaluate(() =>
    ['navigation', 'resource']
      .flatMap((type) => performance.getEntriesByType(type))
      .filter((entry) => entry.name.startsWith(location.origin))
      .map((entry) => entry.nextHopProtocol),
  );
  assert.ok(protocols.length > 5, `${protocols}`);
  assert.ok(protocols.every((protocol) => protocol === 'h2'), `${protocols}`);
  await register(page, { email: 'ada@example.org' });
  await greeting(page, 'ada@example.org').waitFor();
  const cookies = await page.context().cookies(url);
  const session = cookies.find(({ name }) => name === 'nextbnb');
  assert.equal(session?.secure, true);
  await page.reload();
  await greeting(page, 'ada@example.org').waitFor();
}
