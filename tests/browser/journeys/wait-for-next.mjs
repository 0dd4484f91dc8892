import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';

// While it waits it looks, and loads itself once: then it is the page asked for.
export const PAGE_LOADS = 2;

/** The page that stands in for Next.js becomes the page asked for, by itself. */
export default async function walk({ page, details: [waiting] }) {
  const answer = await page.goto('/trips');
  assert.equal(answer.status(), 503);
  await page.getByRole('heading', { name: 'Next.js is starting' }).waitFor();
  writeFileSync(waiting, '');
  await page.waitForURL('**/sign-in?next=/trips'); // where Next.js sends a guest
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
}
