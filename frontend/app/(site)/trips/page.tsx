import type { Metadata } from 'next';
import Link from 'next/link';
import { redirect } from 'next/navigation';
import { TripCard } from '@/components/trip-card';
import { earliestToday } from '@/lib/dates';
import { tripsOf, TripsUnreadable, type Trip } from '@/lib/trips';
import { currentUser } from '@/lib/user';

export const metadata: Metadata = { title: 'Your trips' };

interface Props {
  searchParams: Promise<{ booked?: string | string[]; cancelled?: string | string[] }>;
}

export default async function TripsPage({ searchParams }: Props) {
  const user = await currentUser();
  if (!user) redirect('/sign-in?next=/trips');
  const { booked, cancelled } = await searchParams;
  const trips = await readableTripsOf(user.id);

  return (
    <section className="trips" aria-labelledby="trips-title">
      <h1 id="trips-title">Your trips</h1>
      {cancelled && (
        <p className="notice" role="status">
          The trip is cancelled.
        </p>
      )}
      {trips?.some((trip) => trip.id === booked) && (
        <p className="notice notice--good" role="status">
          Booked. We will air the rooms.
        </p>
      )}
      {trips ? <TripList trips={trips} /> : <Unreadable />}
    </section>
  );
}

function TripList({ trips }: { trips: Trip[] }) {
  if (trips.length === 0) {
    return (
      <div className="trips__empty">
        <p>No trips yet. The lighthouse has a free weekend.</p>
        <Link className="button" href="/">
          Find a house
        </Link>
      </div>
    );
  }
  const today = earliestToday(new Date());
  const upcoming = trips.filter((trip) => trip.checkOut >= today);
  const past = trips.filter((trip) => trip.checkOut < today);
  return (
    <>
      <p className="trips__calendar">
        <a href="/trips/calendar.ics" download>
          Add to your calendar
        </a>
      </p>
      <ul className="trips__list">
        {upcoming.map((trip) => (
          <TripCard key={trip.id} trip={trip} mayCancel />
        ))}
        {past.map((trip) => (
          <TripCard key={trip.id} trip={trip} mayCancel={false} />
        ))}
      </ul>
    </>
  );
}

function Unreadable() {
  return (
    <p className="notice notice--bad" role="alert">
      Your trips cannot be read at the moment. They are not lost: the file that holds them needs a repair,
      and until then nothing is written to it.
    </p>
  );
}

async function readableTripsOf(userId: string): Promise<Trip[] | null> {
  try {
    return await tripsOf(userId);
  } catch (error) {
    if (!(error instanceof TripsUnreadable)) throw error;
    console.error('trips cannot be shown:', error);
    return null;
  }
}
