// A Postgres of this measurement alone, with the same accounts and sessions in each database.
import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { OTHER_CORE, run, start, stop } from './processes.mjs';

const { hashSync } = createRequire(new URL('express/server.mjs', import.meta.url))('bcrypt');
const ACCOUNTS = 1000;
const SESSIONS = 100;
const MONTH = 30 * 24 * 60 * 60 * 1000;

export const SECRET = randomBytes(32).toString('base64');

export async function startPostgres(work) {
  const programs = postgresPrograms();
  const folder = join(work, 'postgres');
  mkdirSync(folder);
  // Postgres does not run as root.
  const user = process.getuid() === 0 ? owner() : {};
  if (user.uid) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const make = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await run(OTHER_CORE, [join(programs, 'initdb'), ...make], { user });
  const settings = [
    'listen_addresses=', `unix_socket_directories=${folder}`, 'fsync=off', 'max_connections=100',
    'shared_preload_libraries=pg_stat_statements', 'autovacuum=off',
  ];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const child = start(OTHER_CORE, [join(programs, 'postgres'), '-D', data, ...flags], { user, log: join(work, 'postgres.log') });
  const query = (database, sql) =>
    execFileSync('psql', ['-h', folder, '-U', 'postgres', '-d', database, '-qAtX', '-v', 'ON_ERROR_STOP=1'], {
      input: sql, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'],
    }).trim();
  for (let left = 300; ; left -= 1) {
    try {
      query('postgres', 'CREATE EXTENSION pg_stat_statements');
      break;
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return { folder, query, stop: () => stop(child, 'SIGINT'), url: (name) => `postgres://postgres@localhost/${name}?host=${folder}` };
}

function postgresPrograms() {
  const versions = readdirSync('/usr/lib/postgresql').sort((one, other) => other - one);
  return `/usr/lib/postgresql/${versions[0]}/bin`;
}

function owner() {
  const id = (what) => Number(execFileSync('id', [what, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

// Accounts and sessions in tables that are there already; the cookies of all, one a line, in `file`.
// `visited` is when everybody came last.
export function fill(postgres, database, sessions, visited) {
  const expires = new Date(visited.getTime() + MONTH);
  const rows = sessions.map(({ sid, email }) => {
    const cookie = { originalMaxAge: MONTH, expires, secure: false, httpOnly: true, path: '/' };
    const data = JSON.stringify({ cookie, passport: { user: email } });
    const times = [expires, visited, visited].map((time) => `'${time.toISOString()}'`);
    return `('${sid}', '${data}', ${times.join(', ')})`;
  });
  postgres.query(database, `
    INSERT INTO users (email, password)
      SELECT 'person' || n || '@example.org', '${hash()}' FROM generate_series(1, ${ACCOUNTS}) n;
    INSERT INTO "Sessions" (sid, data, expires, "createdAt", "updatedAt") VALUES ${rows.join(', ')};
    ANALYZE;
  `);
}

let hashed;
const hash = () => (hashed ??= hashSync('correct horse battery', 10));

export function makeSessions(file) {
  const sessions = Array.from({ length: SESSIONS }, (_, at) => {
    const sid = randomBytes(24).toString('base64url');
    const mac = createHmac('sha256', SECRET).update(sid).digest('base64').replace(/=+$/, '');
    const cookie = `theme=dark; nextbnb=${encodeURIComponent(`s:${sid}.${mac}`)}`;
    return { sid, email: `person${at + 1}@example.org`, cookie };
  });
  writeFileSync(file, sessions.map(({ cookie }) => `${cookie}\n`).join(''));
  return sessions;
}
