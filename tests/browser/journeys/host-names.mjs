import assert from 'node:assert/strict';

import { visit } from './hot-reload.mjs';
import { PASSWORD } from './steps.mjs';

export const PAGE_LOADS = 20;

/**
 * Under each name of a site that is worked on a page lives, is told of edits, and somebody can sign
 * in; under a stranger's name there is nothing but the way to allow it.
 */
export default async function walk({ newPage, url, details: [folder, ...names] }) {
  for (const name of names) {
    const page = await newPage();
    const address = new URL('/probe', url.replace('localhost', name));
    await visit(page, address, folder, 1);
    const email = `${name.replace(/\W/g, '-')}@example.org`;
    assert.equal(await page.evaluate(register, { email, password: PASSWORD }), email, name);
    await page.context().close();
  }
  const page = await newPage();
  const answer = await page.goto(new URL('/probe', url.replace('localhost', 'evil.test')).href);
  assert.equal(answer.status(), 403);
  await page.getByText('--allow-host evil.test').waitFor();
}

/** Registers from the page, and tells whom the gateway sees afterwards. */
async function register({ email, password }) {
  const body = JSON.stringify({ email, password, passwordconfirmation: password });
  const headers = { 'Content-Type': 'application/json' };
  await fetch('/api/auth/register', { method: 'POST', headers, body });
  const session = await (await fetch('/.nextbnb/session')).json();
  return session.user?.email;
}
