// How long from the write of a file to the change in a browser, with and without the gateway.
//
//   cargo run --release -- dev          # in one terminal; note the two URLs that it prints
//   node bench/hot-reload/measure.mjs http://localhost:3000 http://127.0.0.1:<Next's port> frontend
//
// One `next dev` serves both pages, one page is open at a time, and the two take turns, so that
// both meet the same compiler in the same state. The probe page is made and removed here.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const ROUNDS = 10;
const EDITS_A_ROUND = 5;

const require = createRequire(new URL('../../tests/browser/package.json', import.meta.url));
const { chromium } = require('playwright-core');
const [gateway, direct, frontend] = process.argv.slice(2);
const folder = join(frontend, 'app/probe');
let number = 0;

mkdirSync(folder, { recursive: true });
writeProbe();
writeFileSync(
  join(folder, 'page.tsx'),
  "import Probe from './probe';\nexport default function Page() { return <Probe />; }\n",
);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
try {
  await edits(direct, 3); // Warm: the first edits after a start take longer.
  const times = { direct: [], gateway: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.direct.push(...(await edits(direct, EDITS_A_ROUND)));
    times.gateway.push(...(await edits(gateway, EDITS_A_ROUND)));
  }
  for (const [way, values] of Object.entries(times)) {
    const at = (part) => values.sort((a, b) => a - b)[Math.floor(values.length * part)].toFixed(1);
    console.log(`${way.padEnd(8)} n ${values.length}  median ${at(0.5)} ms  p90 ${at(0.9)} ms`);
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}

/** Opens the probe page at `origin` and edits its client component `count` times. */
async function edits(origin, count) {
  const page = await browser.newPage();
  await page.goto(new URL('/probe', origin).href);
  await page.waitForFunction(() => document.querySelector('[data-hydrated]'));
  const times = [];
  for (let edit = 0; edit < count; edit += 1) {
    number += 1;
    const seen = page.evaluate((text) => {
      const changed = () => document.querySelector('#probe')?.textContent === text;
      return new Promise((resolve) => {
        const observer = new MutationObserver(() => {
          if (!changed()) return;
          observer.disconnect();
          resolve(performance.timeOrigin + performance.now());
        });
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      });
    }, `edit ${number}`);
    await new Promise((resolve) => setTimeout(resolve, 300)); // The observer is there, all is calm.
    const written = performance.timeOrigin + performance.now();
    writeProbe();
    times.push((await seen) - written);
  }
  await page.close();
  return times;
}

function writeProbe() {
  const code = `'use client';
import { useEffect, useState } from 'react';
export default function Probe() {
  const [hydrated, setHydrated] = useState(false);
  useEffect(() => setHydrated(true), []);
  return <p id="probe" data-hydrated={hydrated || undefined}>{'edit ${number}'}</p>;
}
`;
  writeFileSync(join(folder, 'probe.tsx'), code);
}
