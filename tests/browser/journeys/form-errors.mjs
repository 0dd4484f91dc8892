import { greeting, register, signIn } from './steps.mjs';

export const PAGE_LOADS = 2;

/** What is wrong with a form is said in the form, and it can be put right there. */
export default async function walk({ page, details: [email] }) {
  await page.goto('/');
  await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).click();
  const dialog = page.getByRole('dialog');
  await signIn(page, { email, password: 'wrong password' });
  await dialog.getByText('Email and password do not match').waitFor();
  await page.keyboard.press('Escape');

  const somebody = { email: 'bob@example.org' };
  await register(page, { ...somebody, confirmation: 'another password' });
  await dialog.getByText('Passwords do not match').waitFor();
  await page.keyboard.press('Escape');

  await register(page, { email });
  await dialog.getByText('User already exists').waitFor();
  await page.keyboard.press('Escape');

  await register(page, somebody);
  await greeting(page, somebody.email).waitFor();
}
