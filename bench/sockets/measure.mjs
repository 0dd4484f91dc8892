// How much resident memory does an idle WebSocket cost the gateway, and does it hold 9,000?
//
//   cargo build --release && (ulimit -n 20000 && node bench/sockets/measure.mjs)
//
// Opens raw WebSockets from this process through the gateway to this process, and reads VmRSS of
// the gateway when all of them are open and when each has carried a message both ways. Half of them
// are opened in a session of their account. Needs Linux's /proc. Another binary may be named.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const STEPS = [1000, 4000, 9000];
const GRANT =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const MESSAGE = Buffer.concat([Buffer.from([0x82, 0x85, 0, 0, 0, 0]), Buffer.from('hello')]);
const ECHO = Buffer.concat([Buffer.from([0x82, 5]), Buffer.from('hello')]);

const binary = process.argv[2] ?? 'target/release/nextbnb-gateway';
const work = mkdtempSync(join(tmpdir(), 'sockets-'));

const upstream = createServer((socket) => {
  socket.once('data', () => {
    socket.write(GRANT);
    socket.on('data', () => socket.write(ECHO));
  });
  socket.on('error', () => {});
});
await new Promise((done) => upstream.listen(0, '127.0.0.1', 20000, done));

// Of the connections that it may have, the gateway leaves a quarter to pages.
const flags = ['--host', '127.0.0.1', '--port', '0', '--max-connections', '12100'];
const places = ['--state-dir', join(work, 'state'), '--upstream', `http://127.0.0.1:${upstream.address().port}`];
const gateway = spawn(binary, ['serve', ...flags, ...places], { stdio: ['ignore', 'ignore', 'pipe'] });
const port = await new Promise((found, failed) => {
  let said = '';
  gateway.stderr.on('data', (data) => {
    said = (said + data).slice(-10000);
    const at = said.match(/http:\/\/127\.0\.0\.1:(\d+)/);
    if (at) found(Number(at[1]));
  });
  gateway.on('exit', () => failed(new Error(said)));
});

const resident = () =>
  Number(readFileSync(`/proc/${gateway.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]);

async function register() {
  const answer = await fetch(`http://127.0.0.1:${port}/api/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      email: 'ada@example.org',
      password: 'correct horse battery',
      passwordconfirmation: 'correct horse battery',
    }),
  });
  return answer.headers.getSetCookie()[0].split(';')[0];
}

function open(cookie) {
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(
      `GET /socket HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${cookie}\r\n`,
    );
    socket.once('data', (head) => {
      if (head.toString().startsWith('HTTP/1.1 101')) done(socket);
      else failed(new Error(head.toString()));
    });
    socket.once('error', failed);
  });
}

const echoed = (socket) =>
  new Promise((done) => {
    socket.once('data', done);
    socket.write(MESSAGE);
  });

try {
  const cookie = `Cookie: ${await register()}\r\n`;
  const sockets = [];
  const report = [];
  for (const step of STEPS) {
    while (sockets.length < step) {
      const some = Array.from({ length: 50 }, (_, n) => open(n % 2 === 0 ? cookie : ''));
      sockets.push(...(await Promise.all(some)));
    }
    await sleep(2000);
    const idle = resident();
    for (let at = 0; at < sockets.length; at += 50) {
      await Promise.all(sockets.slice(at, at + 50).map(echoed));
    }
    await sleep(1000);
    report.push({ sockets: step, 'idle (KiB)': idle, 'after a message each (KiB)': resident() });
  }
  console.table(report);
  const [first, , last] = report;
  const each = (last['idle (KiB)'] - first['idle (KiB)']) / (last.sockets - first.sockets);
  console.log(`each: ${each.toFixed(2)} KiB`);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  gateway.kill();
  rmSync(work, { recursive: true, force: true });
  process.exit();
}
