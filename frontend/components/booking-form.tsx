'use client';

import { useActionState, useState, type FormEvent } from 'react';
import { book } from '@/app/actions';
import type { BookingField } from '@/lib/booking';
import { addDays, isDay, nightsBetween } from '@/lib/dates';
import { euros, type House } from '@/lib/houses';
import { Field } from './field';

interface Props {
  house: Pick<House, 'slug' | 'pricePerNight' | 'sleeps'>;
  /** First day to offer. */
  today: string;
}

/** Books a house. Works without JavaScript too: the answer then comes with the next page. */
export function BookingForm({ house, today }: Props) {
  const [answer, submit, isPending] = useActionState(book, null);
  const [stay, setStay] = useState({ checkIn: '', checkOut: '' });

  const field = (name: BookingField) => ({
    name,
    defaultValue: answer?.typed[name] ?? (name === 'guests' ? '2' : ''),
    problem: answer?.field === name ? answer.message : undefined,
    required: true,
  });

  function follow(event: FormEvent<HTMLFormElement>) {
    const form = new FormData(event.currentTarget);
    setStay({ checkIn: String(form.get('checkIn')), checkOut: String(form.get('checkOut')) });
  }

  const earliestCheckOut = addDays(isDay(stay.checkIn) ? stay.checkIn : today, 1);
  return (
    // The server says what is wrong, in place, with or without a script; see lib/booking.ts.
    <form className="form" action={submit} onChange={follow} noValidate>
      <input type="hidden" name="house" value={house.slug} />
      <div className="form__row">
        <Field {...field('checkIn')} label="Check-in" type="date" min={today} />
        <Field {...field('checkOut')} label="Check-out" type="date" min={earliestCheckOut} />
      </div>
      <Field
        {...field('guests')}
        label="Guests"
        type="number"
        inputMode="numeric"
        min={1}
        max={house.sleeps}
        hint={`Up to ${house.sleeps}.`}
      />
      <p className="form__problem" role="alert">
        {answer && !answer.field ? answer.message : ''}
      </p>
      <button className="button button--wide" disabled={isPending} aria-busy={isPending}>
        Book
      </button>
      <p className="form__total" aria-live="polite">
        {totalOf(stay, house.pricePerNight)}
      </p>
    </form>
  );
}

function totalOf({ checkIn, checkOut }: { checkIn: string; checkOut: string }, pricePerNight: number): string {
  if (!isDay(checkIn) || !isDay(checkOut) || checkOut <= checkIn) return 'You pay at the door.';
  const nights = nightsBetween(checkIn, checkOut);
  return `${nights} ${nights === 1 ? 'night' : 'nights'}: ${euros(nights * pricePerNight)}, paid at the door.`;
}
