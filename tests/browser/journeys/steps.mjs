// What a visitor does, in the site's own words.

export const PASSWORD = 'correct horse battery';

/** Where the header greets somebody. */
export function greeting(page, name) {
  return page.getByRole('banner').getByText(`Hello, ${name}`);
}

/** Opens the dialog from the header and fills it in. */
export async function register(page, { name, email, password = PASSWORD, confirmation = password }) {
  await page.getByRole('banner').getByRole('link', { name: 'Register' }).click();
  const dialog = page.getByRole('dialog');
  if (name) await dialog.getByLabel('Name (optional)').fill(name);
  await dialog.getByLabel('Email').fill(email);
  await dialog.getByLabel('Password', { exact: true }).fill(password);
  await dialog.getByLabel('Confirm password').fill(confirmation);
  await dialog.getByRole('button', { name: 'Register' }).click();
}

/** Fills in the sign-in form that is on the page or in its dialog. */
export async function signIn(page, { email, password = PASSWORD }) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Books the first house of the home page for three nights next month; tells its name. */
export async function book(page) {
  await page.goto('/');
  const heading = page.getByRole('main').getByRole('link').getByRole('heading').first();
  const house = (await heading.textContent()).trim();
  await heading.click();
  await page.getByRole('heading', { level: 1, name: house }).waitFor();
  await page.getByLabel('Check-in').fill(daysFromNow(30));
  await page.getByLabel('Check-out').fill(daysFromNow(33));
  await page.getByRole('button', { name: 'Book' }).click();
  await page.waitForURL('**/trips**');
  return house;
}

function daysFromNow(days) {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** Waits until React listens on a page of the specimen: a person is slower than it, a test is not. */
export async function hydrated(page) {
  await page.waitForFunction(() => {
    const header = document.querySelector('header');
    return header && Object.keys(header).some((key) => key.startsWith('__react'));
  });
}
