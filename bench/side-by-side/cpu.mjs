// CPU of a request: what all threads of a server spent, by the kernel's count, over what it answered.
import { fileURLToPath } from 'node:url';
import { OTHER_CORE, cpuNanos, run } from './processes.mjs';
import { median } from './statistics.mjs';

const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url));
const SECONDS = Number(process.env.ROUND_SECONDS ?? 1.5);

export const KINDS = [
  ['page, 1 KiB', '/trips'],
  ['page, 64 KiB', '/64k'],
  ['page, 1 MiB', '/1m'],
  ['immutable asset, 1 KiB', '/_next/static/chunks/1k.js'],
  ['immutable asset, 64 KiB', '/_next/static/chunks/64k.js'],
];

// Until Node.js has compiled what it runs often.
export async function warmUp(servers, cookies) {
  for (const server of servers) await load(server, '/trips', cookies, 3);
}

// Rounds in which each server has its turn, in another order each time.
export async function measureCpu({ servers, cookies, rounds, path }) {
  const micros = Object.fromEntries(servers.map(({ name }) => [name, []]));
  const rates = Object.fromEntries(servers.map(({ name }) => [name, []]));
  for (const server of servers) await load(server, path, cookies, 0.5);
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < servers.length; turn += 1) {
      const server = servers[(round + turn) % servers.length];
      const before = cpuNanos(server.child);
      const { answered, micros: lasted } = await load(server, path, cookies, SECONDS);
      if (answered === 0) throw new Error(`${server.name} answers nothing in ${SECONDS} s`);
      micros[server.name].push((cpuNanos(server.child) - before) / 1000 / answered);
      rates[server.name].push(answered / (lasted / 1e6));
    }
  }
  return { micros, rates: Object.fromEntries(Object.entries(rates).map(([name, all]) => [name, median(all)])) };
}

async function load({ name, port }, path, cookies, seconds) {
  // wrk takes whole seconds, and ends by its script or a signal.
  const said = await run(OTHER_CORE, [
    'timeout', '--preserve-status', '--signal=INT', `${seconds}`, 'wrk', '--threads=1', '--connections=64',
    '--duration=60s', '--timeout=30s', `--script=${SCRIPT}`, `http://127.0.0.1:${port}`, '--', path, cookies,
  ]);
  const result = JSON.parse(said.at(-1));
  if (result.failed > 0) throw new Error(`${name} fails ${path}: ${said.join('\n')}`);
  return result;
}
