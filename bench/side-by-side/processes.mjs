// Processes that end with this one, each on the core that is named.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

// What is measured has the first of this process's two cores; whatever else runs has the second.
export const MEASURED_CORE = '0';
export const OTHER_CORE = '1';

// The program of `bench/load`.
export const LOAD = process.env.LOAD;

const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

// `log` is a file for the standard error; `env` is added to this process's, which names no settings.
export function start(core, command, { env = {}, log = '/dev/null', input = 'ignore', user } = {}) {
  const descriptor = openSync(log, 'a');
  const child = spawn('taskset', ['--cpu-list', core, ...command], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: [input, 'pipe', descriptor],
    ...user,
  });
  closeSync(descriptor);
  running.add(child);
  child.once('exit', () => running.delete(child));
  child.lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.name = command[0].split('/').at(-1);
  return child;
}

export async function line(child) {
  const { value, done } = await child.lines.next();
  if (done) throw new Error(`${child.name} ended without a word`);
  return value;
}

export async function stop(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

// Runs to its end, and gives what it wrote.
export async function run(core, command, options) {
  const child = start(core, command, options);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const said = [];
  for await (const text of child.lines) said.push(text);
  const code = await ended;
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${said.join('\n')}`);
  return said;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

// It and its children's.
function family(pid) {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap(family)];
}

// Nanoseconds on a core, user and kernel, of all threads.
export function cpuNanos(child) {
  const tasks = family(child.pid).flatMap((pid) =>
    readdirSync(`/proc/${pid}/task`).map((task) => `/proc/${pid}/task/${task}/schedstat`),
  );
  return tasks.reduce((sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[0]), 0);
}

export function residentKib(child) {
  const resident = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return family(child.pid).reduce((sum, pid) => sum + resident(pid), 0);
}

// Milliseconds since `began` until it answers with 200, asked every 2 ms.
export async function firstAnswer(port, began) {
  for (const end = began + 60_000; ; ) {
    const answer = await fetch(`http://127.0.0.1:${port}/trips`).catch(() => null);
    await answer?.arrayBuffer();
    if (answer?.status === 200) return performance.now() - began;
    if (performance.now() > end) throw new Error(`nothing answers on port ${port}`);
    await sleep(2);
  }
}
