import assert from 'node:assert/strict';

import { book, greeting, register } from './steps.mjs';

export const PAGE_LOADS = 7;

/** Register → my name, rendered on the server → book → my trips → log out → gone. */
export default async function walk({ page }) {
  await page.goto('/');
  await register(page, { name: 'Ada Łovelace', email: 'ada@example.org' });
  await greeting(page, 'Ada Łovelace').waitFor();
  // Rendered on the server: it is in the HTML before any script runs.
  const html = await (await page.request.get('/')).text();
  assert.match(html, /Hello, Ada Łovelace/);

  const house = await book(page);
  await page.goto('/trips');
  await page.getByRole('heading', { name: house }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: house }).waitFor();

  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor();
  assert.equal(await greeting(page, 'Ada Łovelace').count(), 0);
  await page.goto('/trips');
  assert.equal(await page.getByRole('heading', { name: house }).count(), 0);
  assert.deepEqual((await page.context().cookies()).filter(({ name }) => name === 'nextbnb'), []);
}
