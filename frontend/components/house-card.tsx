import Link from 'next/link';
import { euros, type House } from '@/lib/houses';
import { HousePicture } from './house-picture';

export function HouseCard({ house, isFirst }: { house: House; isFirst: boolean }) {
  return (
    <Link className="house-card" href={`/houses/${house.slug}`}>
      <div className="house-card__frame">
        <HousePicture house={house} isFirst={isFirst} isDecoration />
      </div>
      <div className="house-card__text">
        <p className="house-card__place">{house.place}</p>
        <h2 className="house-card__name">{house.name}</h2>
        <p className="house-card__summary">{house.summary}</p>
        <p className="house-card__price">
          <strong>{euros(house.pricePerNight)}</strong> a night · sleeps {house.sleeps}
        </p>
      </div>
    </Link>
  );
}
