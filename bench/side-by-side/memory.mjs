// Resident memory at rest, and what a connection adds that rests after one request.
import { LOAD, OTHER_CORE, line, residentKib, start, stop } from './processes.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

export const FEW = 1000;
export const MANY = 4000;
const REST_MILLIS = 12_000;

export async function measureMemory(servers, cookies) {
  const holders = servers.map(({ port }) =>
    start(OTHER_CORE, [LOAD, 'idle', `${port}`, '/trips', cookies, `${FEW}`, `${MANY}`], { input: 'pipe' }),
  );
  const resting = servers.map(({ child }) => residentKib(child));
  const atSteps = [];
  for (const step of [FEW, MANY]) {
    for (const holder of holders) if ((await line(holder)) !== `${step}`) throw new Error('no connections');
    await sleep(REST_MILLIS);
    atSteps.push(servers.map(({ child }) => residentKib(child)));
    for (const holder of holders) holder.stdin.write('\n');
  }
  for (const holder of holders) await stop(holder);
  const [few, many] = atSteps;
  const each = (at) => (many[at] - few[at]) / (MANY - FEW);
  return servers.map(({ name }, at) => ({ name, resting: resting[at], each: each(at) }));
}
