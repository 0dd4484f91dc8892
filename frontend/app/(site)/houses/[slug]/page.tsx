import type { Metadata } from 'next';
import Link from 'next/link';
import { notFound } from 'next/navigation';
import { AccountLink } from '@/components/account-link';
import { BookingForm } from '@/components/booking-form';
import { HousePicture } from '@/components/house-picture';
import { earliestToday } from '@/lib/dates';
import { euros, findHouse, type House } from '@/lib/houses';
import { currentUser } from '@/lib/user';

interface Props {
  params: Promise<{ slug: string }>;
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const house = findHouse((await params).slug);
  return house ? { title: house.name, description: house.summary } : {};
}

export default async function HousePage({ params }: Props) {
  const house = findHouse((await params).slug);
  if (!house) notFound();
  const user = await currentUser();

  return (
    <article className="house">
      <p className="house__back">
        <Link href="/">← All houses</Link>
      </p>
      <div className="house__columns">
        <div>
          <div className="house__frame">
            <HousePicture house={house} isFirst />
          </div>
          <Story house={house} />
        </div>
        <aside className="card" aria-labelledby="booking-title">
          <h2 className="card__price" id="booking-title">
            {euros(house.pricePerNight)} <small>a night</small>
          </h2>
          {user ? (
            <BookingForm house={house} today={earliestToday(new Date())} />
          ) : (
            <>
              <p>Trips are kept with your account, so booking starts with signing in.</p>
              <AccountLink className="button button--wide" page="sign-in">
                Sign in to book
              </AccountLink>
            </>
          )}
        </aside>
      </div>
    </article>
  );
}

function Story({ house }: { house: House }) {
  return (
    <div className="house__story">
      <p className="house__place">{house.place}</p>
      <h1>{house.name}</h1>
      <p className="house__facts">
        Sleeps {house.sleeps} · {house.bedrooms} {house.bedrooms === 1 ? 'bedroom' : 'bedrooms'}
      </p>
      <p className="house__summary">{house.summary}</p>
      {house.description.map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      <h2>What you will find</h2>
      <ul className="amenities">
        {house.amenities.map((amenity) => (
          <li key={amenity}>{amenity}</li>
        ))}
      </ul>
    </div>
  );
}
