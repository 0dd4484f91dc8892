import type { House } from '@/lib/houses';

interface Props {
  house: Pick<House, 'slug' | 'picture'>;
  /** The picture says nothing that the text beside it does not. */
  isDecoration?: boolean;
  isFirst?: boolean;
}

/**
 * A house's illustration. A plain image and not next/image, which has nothing to resize in
 * an SVG; each drawing has a day and a night side and picks it by the visitor's colour scheme.
 */
export function HousePicture({ house, isDecoration, isFirst }: Props) {
  return (
    <img
      className="house-picture"
      src={`/houses/${house.slug}.svg`}
      alt={isDecoration ? '' : house.picture}
      width={800}
      height={600}
      loading={isFirst ? 'eager' : 'lazy'}
      decoding="async"
    />
  );
}
