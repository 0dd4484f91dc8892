import { addDays, earliestToday, isDay, nightsBetween } from './dates';
import { findHouse, type House } from './houses';
import type { Trip } from './trips';

/** The fields of the booking form, by their names in it. */
export type BookingField = 'checkIn' | 'checkOut' | 'guests';

export interface Booking {
  house: House;
  checkIn: string;
  checkOut: string;
  guests: number;
  total: number;
}

/** What to tell the visitor, and beside which field; without one it is about the whole form. */
export interface BookingProblem {
  message: string;
  field?: BookingField;
}

const MAX_NIGHTS = 30;
const MAX_DAYS_AHEAD = 2 * 365;
/** A bound on what one account can add to the trips file. */
const MAX_TRIPS = 200;

/**
 * Reads what a booking form sent, which may be anything: the form in the page only makes
 * a right answer easy. Problems come in the order of the fields.
 */
export function readBooking(form: FormData, now: Date): Booking | BookingProblem {
  const [slug, checkIn, checkOut, guestsText] = ['house', 'checkIn', 'checkOut', 'guests'].map(
    (name) => String(form.get(name) ?? ''),
  ) as [string, string, string, string];

  const house = findHouse(slug);
  if (!house) return { message: 'There is no such house.' };

  const today = earliestToday(now);
  if (!isDay(checkIn)) return { field: 'checkIn', message: 'Choose the day you arrive.' };
  if (checkIn < today) return { field: 'checkIn', message: 'Check-in cannot be in the past.' };
  if (checkIn > addDays(today, MAX_DAYS_AHEAD)) {
    return { field: 'checkIn', message: 'Check-in can be at most two years ahead.' };
  }

  if (!isDay(checkOut)) return { field: 'checkOut', message: 'Choose the day you leave.' };
  const nights = nightsBetween(checkIn, checkOut);
  if (nights < 1) return { field: 'checkOut', message: 'Check-out must be after check-in.' };
  if (nights > MAX_NIGHTS) {
    return { field: 'checkOut', message: `A stay can last at most ${MAX_NIGHTS} nights.` };
  }

  const guests = /^\d{1,3}$/.test(guestsText) ? Number(guestsText) : 0;
  if (guests < 1) return { field: 'guests', message: 'Say how many guests are coming.' };
  if (guests > house.sleeps) {
    return { field: 'guests', message: `${house.name} sleeps at most ${house.sleeps}.` };
  }

  return { house, checkIn, checkOut, guests, total: nights * house.pricePerNight };
}

/**
 * Why a user with these trips may not have this booking too, or `null`. Catches the form
 * that is sent twice.
 */
export function refusalFor(booking: Booking, soFar: Trip[]): string | null {
  if (soFar.length >= MAX_TRIPS) return 'You have too many trips. Cancel one first.';
  const overlaps = soFar.some(
    (trip) =>
      trip.house === booking.house.slug &&
      trip.checkIn < booking.checkOut &&
      booking.checkIn < trip.checkOut,
  );
  return overlaps ? 'You have already booked this house for some of these nights.' : null;
}
