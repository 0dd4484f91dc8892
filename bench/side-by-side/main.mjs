// The measurements one after the other, and the table of them. `run` in this folder prepares what they
// need, and says how they measure.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KINDS, measureCpu, warmUp } from './cpu.mjs';
import { fill, makeSessions, startPostgres } from './database.mjs';
import { SIGN_INS, SIGN_IN_RATE, measureLatency, measureSignIns } from './latency.mjs';
import { FEW, MANY, measureMemory } from './memory.mjs';
import { row, table } from './report.mjs';
import { startExpress, startGateway, startNginx, startUpstream } from './servers.mjs';
import { sizes } from './sizes.mjs';
import { REQUESTS, countStatements } from './statements.mjs';

const ROUNDS = Number(process.env.ROUNDS ?? 9);
const ONLY = process.env.ONLY?.split(',');
const STARTS = Math.min(ROUNDS, 5);
const DAY_MILLIS = 24 * 60 * 60 * 1000;
const STARTERS = { nginx: startNginx, gateway: startGateway, Express: startExpress };

const work = mkdtempSync(join(tmpdir(), 'nextbnb-bench-'));
chmodSync(work, 0o711); // Postgres's own account walks through it.
const cookies = join(work, 'cookies');
const sessions = makeSessions(cookies);
const rows = [];

const postgres = await startPostgres(work);
const upstream = await startUpstream();
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

await step('starts', `From the start of the process to the first 200, asked for every 2 ms, on a database
  without a table; ${STARTS} times each in turns.`, starts);
await step('memory', `VmRSS of all its processes after one request; then with ${FEW} connections and with ${MANY},
  each 12 s after its one request, of which the difference is divided by the connections between.`,
  () => withAll('rested', memory));
await step('statements', `What pg_stat_statements counts, without BEGIN and COMMIT, while forty people who were
  here yesterday and ten guests look at four pages of five requests each.`, statements);
await step('CPU', `What all threads were on a core for (schedstat), user and kernel, divided by the answers that
  wrk counts over 64 connections, all 200; the ratio of each round, of those the median and the quartiles.
  Latency: requests at even distances, at half of what the slower of nginx and the gateway answered; what waits
  for a free connection waits on the clock.`, () => withAll('served', cpu));
await step('sign-ins', `The slowest hundredth of ${SIGN_IN_RATE} pages a second, alone and beside ${SIGN_INS} accounts that sign in
  over and over (bcrypt, cost 10), all on the one core.`, () => withAll('signed', signIns));
rows.push(row('size of the program', sizes(), megabytes));
console.log(`\n${table(rows)}\n`);
await postgres.stop();
process.exit();

async function step(name, method, measure) {
  if (ONLY && !ONLY.includes(name)) return;
  console.log(`${new Date().toTimeString().slice(0, 8)} ${name}: ${method.replace(/\s+/g, ' ')}`);
  try {
    await measure();
  } catch (error) {
    // The others are worth having all the same.
    console.error(error);
    process.exitCode = 1;
  }
}

// On a database of its own, without a table.
async function startOne(name, suffix) {
  const database = `${name.toLowerCase()}_${suffix}`;
  postgres.query('postgres', `CREATE DATABASE ${database}`);
  const server = await STARTERS[name]({ work, postgres, upstream, database });
  return { ...server, database };
}

// All of them, with the same accounts and sessions.
async function startAll(suffix, visited) {
  const servers = [];
  for (const name of Object.keys(STARTERS)) {
    const server = await startOne(name, suffix);
    if (name !== 'nginx') fill(postgres, server.database, sessions, visited);
    servers.push(server);
  }
  return servers;
}

async function withAll(suffix, measure) {
  const servers = await startAll(suffix, new Date());
  if (suffix !== 'rested') await warmUp(servers, cookies);
  await measure(servers);
  for (const server of servers) await server.stop();
}

async function starts() {
  const taken = { nginx: [], gateway: [], Express: [] };
  for (let at = 0; at < STARTS; at += 1) {
    for (const name of Object.keys(taken)) {
      const server = await startOne(name, `start_${at}`);
      taken[name].push(server.ready);
      await server.stop();
    }
  }
  rows.push(row('start to the first answer, tables made', taken, millis));
}

async function memory(servers) {
  const measured = await measureMemory(servers, cookies);
  const by = (what) => Object.fromEntries(measured.map((one) => [one.name, one[what]]));
  rows.push(row('memory at rest (RSS)', by('resting'), (kib) => megabytes(kib * 1024)));
  rows.push(row(`each of ${FEW} to ${MANY} idle connections`, by('each'), (kib) => `${kib.toFixed(2)} KiB`));
}

async function statements() {
  const reads = {};
  const writes = {};
  const visited = new Date(Date.now() - DAY_MILLIS);
  for (const name of ['gateway', 'Express']) {
    const server = await startOne(name, 'browsed');
    fill(postgres, server.database, sessions, visited);
    const counted = await countStatements(server, postgres, cookies);
    reads[name] = counted.busy.reads;
    writes[name] = counted.busy.writes;
    const { resting, seconds } = counted;
    console.log(`  ${name}, besides: ${resting.reads} reads, ${resting.writes} writes in ${seconds.toFixed(0)} s of rest`);
    await server.stop();
  }
  rows.push(row(`database reads of ${REQUESTS} requests`, reads, String));
  rows.push(row(`database writes of ${REQUESTS} requests`, writes, String));
}

async function cpu(servers) {
  let slower;
  for (const [what, path] of KINDS) {
    const { micros, rates } = await measureCpu({ servers, cookies, rounds: ROUNDS, path });
    rows.push(row(`CPU, ${what}`, micros, (value) => `${value.toFixed(1)} µs`));
    const said = Object.entries(rates).map(([name, rate]) => `${name} ${rate.toFixed(0)}`);
    console.log(`  ${what}, answers a second: ${said.join(', ')}`);
    slower ??= Math.min(rates.nginx, rates.gateway);
  }
  await latency(servers.slice(0, 2), Math.round(slower / 2));
}

async function latency(servers, rate) {
  const slowest = await measureLatency({ servers, upstream, cookies, rounds: ROUNDS, rate });
  const added = Object.fromEntries(
    servers.map(({ name }) => [name, slowest[name].map((p99, round) => p99 - slowest.straight[round])]),
  );
  rows.push(row(`p99 at ${rate} requests a second`, slowest, micros));
  rows.push(row('of it added to the way straight to the upstream', added, micros));
}

async function signIns(servers) {
  const [alone, among] = [{}, {}];
  for (const server of servers.slice(1)) {
    const measured = await measureSignIns(server, cookies);
    alone[server.name] = measured.alone;
    among[server.name] = measured.among;
    console.log(`  ${server.name} answered sign-ins with, by status: ${JSON.stringify(measured.answered)}`);
  }
  rows.push(row(`p99 at ${SIGN_IN_RATE} requests a second`, alone, micros));
  rows.push(row(`the same, with ${SIGN_INS} sign-ins under way`, among, micros));
}

function millis(value) {
  return `${value.toFixed(0)} ms`;
}

function micros(value) {
  return value < 10_000 ? `${value.toFixed(0)} µs` : millis(value / 1000);
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
