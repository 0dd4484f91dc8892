import { greeting, signIn } from './steps.mjs';

export const PAGE_LOADS = 2;

/** A guest asks for their trips, signs in, and is where they wanted to be. */
export default async function walk({ page, details: [email, password] }) {
  await page.goto('/trips');
  await signIn(page, { email, password });
  await page.waitForURL('**/trips');
  await greeting(page, email).waitFor();
}
