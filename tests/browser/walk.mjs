// Walks one journey in a browser: `node walk.mjs JOURNEY URL [DETAILS…]`.
//
// A journey is a function of `{ page, newPage, url, details, picture }`, and says in `PAGE_LOADS`
// how many pages it loads at most. `page` and what `newPage` makes are an English desktop
// browser's, each with cookies of its own; what a page throws, and one load more, fail the journey.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

const [journey, url, ...details] = process.argv.slice(2);
const pictures = process.env.PICTURES ?? '.';
mkdirSync(pictures, { recursive: true });

const browser = await chromium.launch({
  executablePath: executable(),
  args: [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-gpu',
    '--disable-sync',
    '--no-first-run',
    // Names that nobody has (RFC 6761 §6.2), for a site that is worked on under several.
    '--host-resolver-rules=MAP *.test 127.0.0.1',
    // Chromium's sandbox refuses root, as whom containers run tests.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ],
});
const thrown = [];
let loads = 0;
const page = await newPage();

try {
  const { default: walk, PAGE_LOADS } = await import(`./journeys/${journey}.mjs`);
  await walk({ page, newPage, url, details, picture: (name) => join(pictures, `${name}.png`) });
  if (thrown.length > 0) throw new AggregateError(thrown, 'the page threw errors');
  if (!(loads <= PAGE_LOADS)) throw new Error(`${loads} page loads, over ${PAGE_LOADS}`);
  console.log(`ok ${journey}, ${loads} page loads`);
} catch (error) {
  console.error(error);
  const picture = join(pictures, `failed-${journey}.png`);
  await page.screenshot({ path: picture }).catch(() => {});
  console.error(`at ${page.url()}; see ${picture}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

/** A page of somebody else's. */
async function newPage(options = {}) {
  // Over TLS the certificate is a test's own, and its name is not looked at.
  const ignoreHTTPSErrors = url.startsWith('https:');
  const context = await browser.newContext({
    locale: 'en-GB',
    baseURL: url,
    ignoreHTTPSErrors,
    ...options,
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => thrown.push(error));
  page.on('load', () => (loads += 1));
  return page;
}

/** Chromium of this system; `CHROMIUM` may name another. */
function executable() {
  const mac = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
  const names = [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome', mac];
  for (const name of names.filter(Boolean)) {
    try {
      return execFileSync('sh', ['-c', 'command -v "$0"', name]).toString().trim();
    } catch {
      // Not that one.
    }
  }
  throw new Error('there is no Chromium: run `make test-deps`');
}
