// How long requests take at a steady rate, and while many people sign in.
import { LOAD, OTHER_CORE, run } from './processes.mjs';

const SECONDS = Number(process.env.ROUND_SECONDS ?? 1.5);
export const SIGN_INS = 1000;
export const SIGN_IN_RATE = 200;
const SIGN_IN_SECONDS = 10;

// Microseconds of the slowest hundredth, straight to the upstream and through each server, in turns.
export async function measureLatency({ servers, upstream, cookies, rounds, rate }) {
  const ways = [{ name: 'straight', port: upstream.port }, ...servers];
  const slowest = Object.fromEntries(ways.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < ways.length; turn += 1) {
      const { name, port } = ways[(round + turn) % ways.length];
      slowest[name].push((await pace(port, cookies, rate, SECONDS)).p99);
    }
  }
  return slowest;
}

// The same alone and with so many sign-ins under way all the time; and what those were answered.
export async function measureSignIns({ port }, cookies) {
  const alone = await pace(port, cookies, SIGN_IN_RATE, SIGN_IN_SECONDS / 2);
  const signIns = run(OTHER_CORE, [LOAD, 'sign-ins', `${port}`, `${SIGN_INS}`, `${SIGN_IN_SECONDS}`]);
  const among = await pace(port, cookies, SIGN_IN_RATE, SIGN_IN_SECONDS);
  return { alone: alone.p99, among: among.p99, answered: JSON.parse((await signIns).at(-1)) };
}

async function pace(port, cookies, rate, seconds) {
  const command = [LOAD, 'paced', `${port}`, '/trips', `${rate}`, `${seconds}`, cookies];
  return JSON.parse((await run(OTHER_CORE, command)).at(-1));
}
