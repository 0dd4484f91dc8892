// How much resident memory does an idle keep-alive connection cost the gateway?
//
//   cargo build --release && (ulimit -n 20000 && node bench/connections/measure.mjs)
//
// Opens HTTP/1.1 connections from this process through the gateway to this process, asks for one page
// on each, and reads VmRSS of the gateway when all of them rest, and again when each has asked once
// more and rests again. Needs Linux's /proc. Another binary may be named.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const STEPS = [1000, 4000, 9000];
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Longer than the gateway keeps the buffers of a connection. */
const REST = 5000;

const binary = process.argv[2] ?? 'target/release/nextbnb-gateway';
const work = mkdtempSync(join(tmpdir(), 'connections-'));

const upstream = createServer((_, response) => response.end('hello'));
await new Promise((done) => upstream.listen(0, '127.0.0.1', done));

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

const ask = (socket) =>
  new Promise((done, failed) => {
    socket.once('data', (answer) => {
      if (answer.toString().startsWith('HTTP/1.1 200')) done();
      else failed(new Error(answer.toString()));
    });
    socket.write(REQUEST);
  });

async function open() {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', (error) => { throw error; });
  await ask(socket);
  return socket;
}

try {
  const sockets = [];
  const report = [];
  for (const step of STEPS) {
    while (sockets.length < step) {
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, open))));
    }
    await sleep(REST);
    const once = resident();
    for (let at = 0; at < sockets.length; at += 50) {
      await Promise.all(sockets.slice(at, at + 50).map(ask));
    }
    await sleep(REST);
    report.push({ connections: step, 'resting (KiB)': once, 'after another request each (KiB)': resident() });
  }
  console.table(report);
  for (const column of Object.keys(report[0]).slice(1)) {
    const each = (report[1][column] - report[0][column]) / (STEPS[1] - STEPS[0]);
    console.log(`each, between ${STEPS[0]} and ${STEPS[1]}, ${column}: ${each.toFixed(2)}`);
  }
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  gateway.kill();
  rmSync(work, { recursive: true, force: true });
  process.exit();
}
