// What 1,000 requests of people who look around ask of the database.
import { Agent, request } from 'node:http';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

// Fifty people, each with a connection and four pages of five requests, as a browser sends them.
const PEOPLE = 50;
const SIGNED_IN = 40;
const PAGES = 4;
const PAGE = ['/trips', '/_next/static/chunks/a.js', '/_next/static/chunks/b.js', '/_next/static/c.css', '/api/houses'];
export const REQUESTS = PEOPLE * PAGES * PAGE.length;

// Postgres counts by itself: statements of this database, but for what connections ask once, and BEGIN
// and COMMIT. What the server asks all the time, whoever comes, is among them, and counted by itself in as
// many seconds of rest.
export async function countStatements({ port, database }, postgres, cookies) {
  const people = readFileSync(cookies, 'utf8').trim().split('\n').slice(0, SIGNED_IN);
  await sleep(2000);
  const counts = async (during) => {
    postgres.query('postgres', 'SELECT pg_stat_statements_reset()');
    await during();
    return count(postgres, database);
  };
  const began = performance.now();
  const busy = await counts(async () => {
    for (let page = 0; page < PAGES; page += 1) await visitAll(port, people);
    await sleep(3000); // Until what is written later is written, too.
  });
  const lasted = performance.now() - began;
  const resting = await counts(() => sleep(lasted));
  return { busy, resting, seconds: lasted / 1000 };
}

function count(postgres, database) {
  const [reads, writes] = postgres.query('postgres', `
    SELECT coalesce(sum(calls) FILTER (WHERE NOT writes), 0), coalesce(sum(calls) FILTER (WHERE writes), 0)
    FROM (
      SELECT calls, query ~* '\\m(insert into|update|delete from)\\M' AS writes
      FROM pg_stat_statements JOIN pg_database ON dbid = pg_database.oid
      WHERE datname = '${database}' AND query !~* '^\\s*(begin|commit|rollback|set|show|listen|deallocate)'
        AND query NOT LIKE '%pg_stat_statements%'
    ) statements`).split('|').map(Number);
  return { reads, writes };
}

const agents = new Map();
const given = new Map();

// Guests keep the cookie that they are given, as browsers do.
async function visitAll(port, people) {
  for (let person = 0; person < PEOPLE; person += 1) {
    const key = `${port} ${person}`;
    if (!agents.has(key)) agents.set(key, new Agent({ keepAlive: true, maxSockets: 1 }));
    for (const path of PAGE) {
      const cookie = people[person] ?? given.get(key) ?? 'theme=dark';
      const answer = await ask({ agent: agents.get(key), host: '127.0.0.1', port, path, headers: { cookie } });
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`);
      const [set] = answer.headers['set-cookie'] ?? [];
      if (set && !people[person]) given.set(key, set.split(';')[0]);
    }
  }
}

const ask = (options) =>
  new Promise((resolve, reject) => {
    request(options, (answer) => answer.on('end', () => resolve(answer)).resume()).on('error', reject).end();
  });
