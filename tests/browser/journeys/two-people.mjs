import assert from 'node:assert/strict';

import { book, greeting, register } from './steps.mjs';

export const PAGE_LOADS = 7;

/** Two browsers at once: each sees its own name and its own trips. */
export default async function walk({ newPage }) {
  const visit = async (name) => {
    const page = await newPage();
    await page.goto('/');
    await register(page, { name, email: `${name.toLowerCase()}@example.org` });
    await greeting(page, name).waitFor();
    return page;
  };
  const [ada, bob] = await Promise.all([visit('Ada'), visit('Bob')]);
  const house = await book(ada);
  await Promise.all([ada.goto('/trips'), bob.goto('/trips')]);
  await ada.getByRole('heading', { name: house }).waitFor();
  await greeting(ada, 'Ada').waitFor();
  await greeting(bob, 'Bob').waitFor();
  assert.equal(await bob.getByRole('heading', { name: house }).count(), 0);
}
