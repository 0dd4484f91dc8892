import Link from 'next/link';
import { cancel } from '@/app/actions';
import { nightsBetween, spoken } from '@/lib/dates';
import { euros, findHouse } from '@/lib/houses';
import type { Trip } from '@/lib/trips';
import { HousePicture } from './house-picture';

export function TripCard({ trip, mayCancel }: { trip: Trip; mayCancel: boolean }) {
  const house = findHouse(trip.house);
  const nights = nightsBetween(trip.checkIn, trip.checkOut);
  return (
    <li className="trip">
      <div className="trip__frame">{house && <HousePicture house={house} isDecoration />}</div>
      <div className="trip__text">
        <p className="house-card__place">{house?.place ?? 'No longer offered'}</p>
        <h2>{house ? <Link href={`/houses/${house.slug}`}>{house.name}</Link> : trip.house}</h2>
        <p>
          <time dateTime={trip.checkIn}>{spoken(trip.checkIn)}</time>
          {' to '}
          <time dateTime={trip.checkOut}>{spoken(trip.checkOut)}</time>
        </p>
        <p className="trip__facts">
          {nights} {nights === 1 ? 'night' : 'nights'} · {trip.guests} {trip.guests === 1 ? 'guest' : 'guests'} ·{' '}
          {euros(trip.total)}
        </p>
        {mayCancel && (
          // Two steps without a script, so that one slip of the thumb cancels nothing.
          <details className="trip__cancel">
            <summary>Cancel trip</summary>
            <form action={cancel}>
              <input type="hidden" name="trip" value={trip.id} />
              <button className="button button--small button--quiet">Yes, cancel it</button>
            </form>
          </details>
        )}
      </div>
    </li>
  );
}
