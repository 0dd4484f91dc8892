import { HouseCard } from '@/components/house-card';
import { HOUSES } from '@/lib/houses';

export default function HomePage() {
  return (
    <>
      <section className="hero" aria-labelledby="hero-title">
        <img className="hero__picture" src="/hero.svg" alt="" width={1600} height={560} />
        <div className="hero__text">
          <h1 id="hero-title">Houses worth the journey</h1>
          <p>Six places with a story, from a lighthouse to an oak. Pick one; the kettle is on.</p>
        </div>
      </section>
      <section className="houses" aria-label="Houses">
        {HOUSES.map((house, index) => (
          <HouseCard key={house.slug} house={house} isFirst={index < 3} />
        ))}
      </section>
    </>
  );
}
