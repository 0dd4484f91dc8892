/**
 * Keeps who booked what, in one JSON file in `DATA_DIR` (default: `.data` beside the code).
 *
 * The file is the only truth: it is read for every question and replaced as a whole by
 * every change, so hot reload, a restart or a power cut leave either the old or the new one.
 * One process writes it; several copies of this site would need a database instead.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';

export interface Trip {
  id: string;
  /** Slug of the house. */
  house: string;
  /** Days as `YYYY-MM-DD`; the night before check-out is the last one. */
  checkIn: string;
  checkOut: string;
  guests: number;
  /** Price of the whole stay as it was when booked, in whole euros. */
  total: number;
}

/** The file cannot be read or is not what this module wrote. It is left as it is. */
export class TripsUnreadable extends Error {
  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`trips file ${file} is not usable: ${reason}; repair it or move it away`, options);
    this.name = 'TripsUnreadable';
  }
}

type TripsByUser = Map<string, Trip[]>;

/** The trips of a user, next one first. */
export async function tripsOf(userId: string): Promise<Trip[]> {
  const trips = (await readTrips()).get(userId) ?? [];
  return trips.toSorted((a, b) => a.checkIn.localeCompare(b.checkIn));
}

/** Books a trip, unless `refuse`, given the user's trips so far, says why not. */
export function bookTrip(
  userId: string,
  details: Omit<Trip, 'id'>,
  refuse: (soFar: Trip[]) => string | null,
): Promise<{ trip: Trip } | { refusal: string }> {
  return inTurn(async () => {
    const all = await readTrips();
    const soFar = all.get(userId) ?? [];
    const refusal = refuse(soFar);
    if (refusal !== null) return { refusal };
    const trip = { id: randomUUID(), ...details };
    await replaceFile(all.set(userId, [...soFar, trip]));
    return { trip };
  });
}

/** Cancels a trip of this user; somebody else's, or one already gone, is left alone. */
export function cancelTrip(userId: string, tripId: string): Promise<void> {
  return inTurn(async () => {
    const all = await readTrips();
    const soFar = all.get(userId) ?? [];
    const kept = soFar.filter((trip) => trip.id !== tripId);
    if (kept.length < soFar.length) await replaceFile(all.set(userId, kept));
  });
}

// Kept on globalThis, because hot reload and separate bundles give this module several
// lives in one process, and they all change the same file.
const turns = globalThis as typeof globalThis & { nextbnbTripsTurn?: Promise<unknown> };

function inTurn<T>(change: () => Promise<T>): Promise<T> {
  const result = (turns.nextbnbTripsTurn ?? Promise.resolve()).then(change);
  turns.nextbnbTripsTurn = result.catch(() => undefined); // A failed change blocks no later one.
  return result;
}

function tripsFile(): string {
  const folder = process.env.DATA_DIR || path.join(/* turbopackIgnore: true */ process.cwd(), '.data');
  return path.join(/* turbopackIgnore: true */ folder, 'trips.json');
}

async function readTrips(): Promise<TripsByUser> {
  const file = tripsFile();
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new TripsUnreadable(file, 'it cannot be read', { cause });
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new TripsUnreadable(file, 'it is not JSON', { cause });
  }
  if (!isTripsByUser(content)) throw new TripsUnreadable(file, 'it does not hold trips by user id');
  return new Map(Object.entries(content));
}

async function replaceFile(trips: TripsByUser): Promise<void> {
  const file = tripsFile();
  const folder = path.dirname(file);
  // In the same folder, because a rename is atomic only within one file system.
  const draft = path.join(/* turbopackIgnore: true */ folder, `trips.${process.pid}.${randomUUID()}.tmp`);
  await mkdir(folder, { recursive: true });
  try {
    await write(draft, JSON.stringify(Object.fromEntries(trips), null, 2));
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

async function write(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync(); // Before the rename, or a power cut could leave an empty file.
  } finally {
    await handle.close();
  }
}

/** Makes the rename itself durable. Not every platform lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null);
  try {
    await handle?.sync();
  } catch {
    // The new file is complete either way; only how soon it is durable differs.
  } finally {
    await handle?.close();
  }
}

function isTripsByUser(content: unknown): content is Record<string, Trip[]> {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return false;
  return Object.values(content).every((trips) => Array.isArray(trips) && trips.every(isTrip));
}

function isTrip(value: unknown): value is Trip {
  if (typeof value !== 'object' || value === null) return false;
  const trip = value as Record<string, unknown>;
  return (
    ['id', 'house', 'checkIn', 'checkOut'].every((field) => typeof trip[field] === 'string') &&
    ['guests', 'total'].every((field) => Number.isInteger(trip[field]))
  );
}
