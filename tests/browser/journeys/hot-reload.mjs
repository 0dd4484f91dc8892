import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const PAGE_LOADS = 2;

/** Edits of a client and a server component are shown without a page load; state is kept. */
export default async function walk({ page, url, details: [folder, ...hosts] }) {
  for (const host of hosts) {
    await visit(page, new URL('/probe', url.replace('localhost', host)), folder);
  }
}

/** Edits the probe in `folder`, so many `times`, while it is open at `address`. */
export async function visit(page, address, folder, times = 3) {
  await page.goto(address.href);
  const button = page.getByRole('button', { name: /^client/ });
  // Clicks count once the page is hydrated, which in dev waits for the hot-reload socket.
  await page.waitForFunction(() => {
    document.querySelector('button').click();
    return /clicked [1-9]/.test(document.querySelector('button').textContent);
  });
  const clicked = await counted(page, button);
  let loads = 0;
  page.on('load', () => (loads += 1));
  for (let number = 1; number <= times; number += 1) {
    const client = () => edit(join(folder, 'counter.tsx'), /client \d+/, `client ${number}`);
    await seen(page, client, `client ${number}, ${clicked}`, `client ${number}`);
    const server = () => edit(join(folder, 'page.tsx'), /server \d+/, `server ${number}`);
    await seen(page, server, `server ${number}`, `server ${number}`);
  }
  assert.equal(await button.textContent(), `client ${times}, ${clicked}`, 'the state is kept');
  assert.equal(loads, 0, 'the page is not loaded again');
  edit(join(folder, 'counter.tsx'), /client \d+/, 'client 0');
  edit(join(folder, 'page.tsx'), /server \d+/, 'server 0');
  await page.getByText('server 0').waitFor();
}

/** What the button counts once every click has been counted. */
async function counted(page, button) {
  for (let before; ; ) {
    const now = /clicked \d+/.exec(await button.textContent())[0];
    if (now === before) return now;
    before = now;
    await page.waitForTimeout(500);
  }
}

/**
 * Edits and waits for `text`. Where Next.js itself missed the edit, as its watcher may on a busy
 * machine, it is made once more; an edit that Next.js knows of, and the page was not told, fails.
 */
async function seen(page, change, text, rendered) {
  const shown = page.getByText(text);
  change();
  if (await shown.waitFor({ timeout: 10_000 }).then(() => true, () => false)) return;
  const fresh = await (await page.request.get(page.url())).text();
  assert.ok(!fresh.includes(rendered), `Next.js knows "${rendered}", and the page was not told`);
  change();
  await shown.waitFor();
}

function edit(file, from, to) {
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
}
