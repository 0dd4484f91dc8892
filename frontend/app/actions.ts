'use server';

import { revalidatePath } from 'next/cache';
import { redirect } from 'next/navigation';
import { readBooking, refusalFor, type BookingProblem } from '@/lib/booking';
import { bookTrip, cancelTrip, TripsUnreadable } from '@/lib/trips';
import { currentUser } from '@/lib/user';

/** What the booking form shows after a refusal: the problem and what was typed. */
export type BookingAnswer = (BookingProblem & { typed: Record<string, string> }) | null;

/**
 * Books a house for the signed-in user and goes to their trips.
 *
 * Anybody can call an action, so the user comes from the request headers and every field
 * is checked here, whatever the form allowed.
 */
export async function book(_previous: BookingAnswer, form: FormData): Promise<BookingAnswer> {
  const refused = (problem: BookingProblem): BookingAnswer => ({
    ...problem,
    typed: Object.fromEntries(
      ['checkIn', 'checkOut', 'guests'].map((name) => [name, String(form.get(name) ?? '')]),
    ),
  });

  const user = await currentUser();
  if (!user) return refused({ message: 'You are no longer signed in. Sign in again to book.' });

  const booking = readBooking(form, new Date());
  if ('message' in booking) return refused(booking);

  const { house, ...stay } = booking;
  let result;
  try {
    result = await bookTrip(user.id, { house: house.slug, ...stay }, (soFar) => refusalFor(booking, soFar));
  } catch (error) {
    console.error('a booking was not kept:', error);
    return refused({ message: 'Your booking could not be kept. Nothing was booked; please try again later.' });
  }
  if ('refusal' in result) return refused({ message: result.refusal });

  revalidatePath('/trips');
  redirect(`/trips?booked=${result.trip.id}`);
}

/** Cancels one of the signed-in user's trips. */
export async function cancel(form: FormData): Promise<void> {
  const user = await currentUser();
  if (!user) redirect('/sign-in?next=/trips');
  try {
    await cancelTrip(user.id, String(form.get('trip') ?? ''));
  } catch (error) {
    if (!(error instanceof TripsUnreadable)) throw error;
    console.error('a trip was not cancelled:', error);
    redirect('/trips'); // The page says what is wrong with the file.
  }
  revalidatePath('/trips');
  redirect('/trips?cancelled=1');
}
