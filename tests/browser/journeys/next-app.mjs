import assert from 'node:assert/strict';

export const PAGE_LOADS = 9;

/** What of the application of `tests/next-app` only a browser shows. */
export default async function walk({ page, newPage, url }) {
  await navigate(page);
  await act(page, newPage);
  await loadPicture(page);
  if (url.includes('//localhost')) await draft(page);
}

/** Links, back and forward ask for flight answers, prefetched or not, and load no page. */
async function navigate(page) {
  const flights = [];
  page.on('response', (response) => {
    if (response.request().headers().rsc === '1') flights.push(response.status());
  });
  await page.goto('/');
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => (window.stayed = true));
  await page.getByRole('link', { name: 'Dynamic' }).click();
  await heading(page, 'Dynamic');
  await page.getByRole('link', { name: 'Gallery' }).click();
  await page.getByRole('link', { name: 'Photo 7' }).click();
  await page.getByRole('dialog').getByText('Photo 7 over the gallery').waitFor();
  await page.goBack();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.goBack();
  await heading(page, 'Dynamic');
  await page.goForward();
  await heading(page, 'Gallery');
  assert.equal(await page.evaluate(() => window.stayed), true, 'a navigation loaded a page');
  assert.ok(flights.length >= 3, `${flights}`);
  assert.ok(flights.every((status) => status === 200), `${flights}`);
  await page.goto('/gallery/photo/7');
  await heading(page, 'Photo 7 on its own');
}

/** Server Actions, with JavaScript and without. */
async function act(page, newPage) {
  await page.goto('/actions');
  await page.waitForLoadState('networkidle');
  await page.getByRole('button', { name: 'ask' }).click();
  await page.getByText('{"word":"clicked","user":"nobody"}').waitFor();
  await page.getByRole('button', { name: 'go' }).click();
  await heading(page, 'Dynamic');
  assert.match(page.url(), /by=action$/);
  const plain = await newPage({ javaScriptEnabled: false });
  await plain.goto('/actions');
  await plain.getByRole('button', { name: 'say' }).click();
  await heading(plain, 'Said: hello by nobody');
  await plain.getByRole('button', { name: 'go' }).click();
  await heading(plain, 'Dynamic');
}

async function loadPicture(page) {
  await page.goto('/pictures');
  const picture = page.getByAltText('A picture');
  await picture.waitFor();
  await page.waitForFunction((image) => image.complete, await picture.elementHandle());
  assert.ok(await picture.evaluate((image) => image.naturalWidth > 0), 'the picture is broken');
}

/** Its cookie is Secure, which browsers keep on plain HTTP of localhost alone. */
async function draft(page) {
  await page.goto('/api/draft/on-and-go');
  await heading(page, 'Draft');
}

async function heading(page, name) {
  await page.getByRole('heading', { name, exact: true }).waitFor();
}
