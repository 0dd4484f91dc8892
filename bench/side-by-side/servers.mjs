// The three that are compared, each on the measured core, and the upstream behind all of them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SECRET } from './database.mjs';
import { LOAD, MEASURED_CORE, OTHER_CORE, firstAnswer, freePort, line, start, stop } from './processes.mjs';

const GATEWAY = process.env.BINARY;
const FLAGS = (process.env.GATEWAY_FLAGS ?? '').split(' ').filter(Boolean);

export async function startUpstream() {
  const child = start(OTHER_CORE, [LOAD, 'upstream']);
  return { child, port: Number(await line(child)) };
}

// `ready` is how many milliseconds after its start it answered.
async function started(name, port, begin) {
  const began = performance.now();
  const child = begin();
  return { name, port, child, ready: await firstAnswer(port, began), stop: () => stop(child) };
}

// Everything that it does by default, and metrics.
export async function startGateway({ work, postgres, upstream, database }) {
  const [port, admin] = [await freePort(), await freePort()];
  const secret = join(work, 'secret');
  writeFileSync(secret, SECRET, { mode: 0o600 });
  const flags = [
    '--host', '127.0.0.1', '--port', `${port}`, '--admin', `${admin}`, '--session-secret-file', secret,
    '--database-url', postgres.url(database), '--upstream', `http://127.0.0.1:${upstream.port}`, ...FLAGS,
  ];
  const options = { log: join(work, 'gateway.log') };
  return started('gateway', port, () => start(MEASURED_CORE, [GATEWAY, 'serve', ...flags], options));
}

// Plain `proxy_pass`: no session, no identity, the log line written 64 KiB at a time as the gateway's.
export async function startNginx({ work, upstream }) {
  const port = await freePort();
  const folder = join(work, `nginx-${port}`);
  mkdirSync(folder);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((it) => `${it}_temp_path ${folder}/${it};`);
  writeFileSync(join(folder, 'nginx.conf'), `
    ${process.getuid() === 0 ? 'user root;' : ''}
    worker_processes 1; worker_rlimit_nofile 16384; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 8000; }
    http {
      access_log ${folder}/access.log combined buffer=64k flush=1s;
      ${paths.join(' ')}
      keepalive_requests 1000000000;
      upstream site { server 127.0.0.1:${upstream.port}; keepalive 64; keepalive_requests 1000000000; }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location / {
          proxy_pass http://site; proxy_http_version 1.1; proxy_set_header Connection "";
          proxy_set_header Host $host;
        }
      }
    }`);
  const command = ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
  return started('nginx', port, () => start(MEASURED_CORE, command, { log: join(work, 'nginx.log') }));
}

export async function startExpress({ work, postgres, upstream, database }) {
  const port = await freePort();
  const env = {
    NODE_ENV: 'production', PORT: `${port}`, UPSTREAM: `http://127.0.0.1:${upstream.port}`,
    PGHOST: postgres.folder, PGDATABASE: database, SESSION_SECRET: SECRET,
  };
  const script = fileURLToPath(new URL('express/server.mjs', import.meta.url));
  const options = { env, log: join(work, 'express.log') };
  return started('Express', port, () => start(MEASURED_CORE, [process.execPath, script], options));
}
