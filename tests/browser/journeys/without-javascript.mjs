export const PAGE_LOADS = 3;

/** Everything can be read, and the forms say what they need. */
export default async function walk({ newPage }) {
  const page = await newPage({ javaScriptEnabled: false });
  await page.goto('/');
  await page.getByRole('main').getByRole('link').getByRole('heading').first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.goto('/trips');
  await page.getByText(/JavaScript/).first().waitFor();
}
