/** Everything can be read, and the forms say what they need. */
export default async function walk({ browser, url }) {
  const context = await browser.newContext({ baseURL: url, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('/');
  await page.getByRole('main').getByRole('link').getByRole('heading').first().click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.goto('/trips');
  await page.getByText(/JavaScript/).first().waitFor();
}
