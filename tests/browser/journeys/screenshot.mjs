import { greeting, register } from './steps.mjs';

export const PAGE_LOADS = 2;

/** The home page of somebody who is signed in, for the README. */
export default async function walk({ page, picture }) {
  await page.setViewportSize({ width: 1200, height: 800 });
  await page.goto('/');
  await register(page, { name: 'Ada', email: 'ada@example.org' });
  await greeting(page, 'Ada').waitFor();
  await page.screenshot({ path: picture('screenshot') });
}
