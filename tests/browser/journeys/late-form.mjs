import assert from 'node:assert/strict';

import { hydrated } from './steps.mjs';

export const PAGE_LOADS = 4;

/**
 * A form whose script prevents the browser's own submit too late signs in all the same, every time,
 * and mostly on the very next page.
 */
export default async function walk({ page, url, details: [email, times] }) {
  await page.goto('/');
  await submit(page, 'register', email);
  let atOnce = 0;
  for (let time = 0; time < times; time += 1) {
    const context = await page.context().browser().newContext({ baseURL: url });
    const visitor = await context.newPage();
    visitor.on('dialog', (dialog) => dialog.dismiss());
    await visitor.goto('/');
    await submit(visitor, 'login', email);
    const user = visitor.locator('#user');
    atOnce += await user.count();
    await visitor.waitForTimeout(300);
    await visitor.goto('/');
    assert.equal(await user.count(), 1, `not signed in, time ${time + 1}`);
    await context.close();
  }
  console.log(`${atOnce} of ${times} at once`);
  assert.ok(atOnce > times / 2, `only ${atOnce} of ${times} at once`);
}

async function submit(page, form, email) {
  await hydrated(page);
  await page.locator(`#${form} [type=email]`).fill(email);
  await page.locator(`#${form} [type=password]`).fill('correct horse');
  await Promise.all([page.waitForEvent('load'), page.locator(`#${form} button`).click()]);
}
