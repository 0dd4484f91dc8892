/** A house to rent. Its illustration is `public/houses/<slug>.svg`. */
export interface House {
  slug: string;
  name: string;
  place: string;
  /** One line for the card. */
  summary: string;
  description: string[];
  /** What the illustration shows, for those who cannot see it. */
  picture: string;
  amenities: string[];
  /** Whole euros. */
  pricePerNight: number;
  sleeps: number;
  bedrooms: number;
}

export const HOUSES: readonly House[] = [
  {
    slug: 'lantern-point',
    name: 'Lantern Point',
    place: 'Skagen, Denmark',
    summary: 'A keeper’s cottage under a light that still turns.',
    description: [
      'The last keeper left in 1979; the lamp was left to run by itself, and the cottage to those who like to fall asleep to it. Two seas meet below the garden wall.',
      'Mornings are for the bench on the south side. Evenings are for the stove, the shelf of damp paperbacks, and counting the seconds between two sweeps of the beam.',
    ],
    picture: 'A red and white lighthouse with a small cottage on a green cliff above the sea.',
    amenities: ['Wood stove', 'Sea on three sides', 'Telescope', 'Two bicycles', 'Wi-Fi on clear days'],
    pricePerNight: 145,
    sleeps: 4,
    bedrooms: 2,
  },
  {
    slug: 'pine-hollow',
    name: 'Pine Hollow',
    place: 'Rauland, Norway',
    summary: 'An A-frame between the forest and its own small lake.',
    description: [
      'All glass to the water and all timber to the wind. The loft holds the bed, the ground floor everything else, and the jetty a rowing boat that leaks just enough to be interesting.',
      'In winter the lake carries skaters; in summer it is warm for about a week, and that week is worth the year.',
    ],
    picture: 'A timber A-frame with lit windows by a lake, pines and snowy mountains behind it.',
    amenities: ['Sauna', 'Rowing boat', 'Open fire', 'Ski room', 'No neighbours'],
    pricePerNight: 180,
    sleeps: 4,
    bedrooms: 1,
  },
  {
    slug: 'herring-row',
    name: 'Herring Row',
    place: 'Haarlem, Netherlands',
    summary: 'Four narrow floors and a hoist, right on the canal.',
    description: [
      'Built for a herring merchant in 1642, three windows wide and a staircase steep. Your suitcase goes up the way the barrels did: by the hoist in the gable.',
      'The kitchen opens on the water. Ducks come to the sill at breakfast, and they know what time it is.',
    ],
    picture: 'A row of gabled canal houses in red, ochre and green, mirrored in the water.',
    amenities: ['Canal door', 'Piano', 'Four bicycles', 'Roof terrace', 'Fast Wi-Fi'],
    pricePerNight: 210,
    sleeps: 6,
    bedrooms: 3,
  },
  {
    slug: 'casa-arena',
    name: 'Casa Arena',
    place: 'Tabernas, Spain',
    summary: 'Thick clay walls, cool rooms and a roof for the stars.',
    description: [
      'Rounded by hand and whitewashed every spring, the house keeps last night’s air until five in the afternoon. A ladder leads to the roof, where the beds are in August.',
      'There is nothing to do within ten kilometres. People book a second week to do it again.',
    ],
    picture: 'A rounded clay house with a ladder to its roof, cacti and flat mountains in the sun.',
    amenities: ['Roof beds', 'Plunge pool', 'Clay oven', 'Outdoor shower', 'Very dark skies'],
    pricePerNight: 125,
    sleeps: 5,
    bedrooms: 2,
  },
  {
    slug: 'blue-door',
    name: 'The Blue Door',
    place: 'Folegandros, Greece',
    summary: 'White cubes, one dome, and the Aegean below the steps.',
    description: [
      'Three rooms stacked up the hill like sugar, each with its own door and its own idea of shade. The bougainvillea came first; the terrace was built around it.',
      'One hundred and twelve steps go down to a bay without a road. They also come back up, later, after lunch.',
    ],
    picture: 'White cube houses with a blue dome stepping down a hill to the sea, a sail far out.',
    amenities: ['Sea terrace', 'Private steps to the bay', 'Outdoor kitchen', 'Fig tree', 'Ferry pick-up'],
    pricePerNight: 165,
    sleeps: 4,
    bedrooms: 2,
  },
  {
    slug: 'the-old-oak',
    name: 'The Old Oak',
    place: 'Lozère, France',
    summary: 'One room, eight metres up, and a rope for the groceries.',
    description: [
      'The carpenter asked the tree where the floor should go, and it shows: nothing is square and nothing creaks. Owls live upstairs and keep to themselves.',
      'A ladder leads up, a rope hauls the basket, and a string of lamps finds the way back from the stream.',
    ],
    picture: 'A timber tree house with a ladder and a string of lamps in a great green oak.',
    amenities: ['Hammock', 'String lights', 'Compost toilet', 'Breakfast by basket', 'Owls'],
    pricePerNight: 95,
    sleeps: 2,
    bedrooms: 1,
  },
];

export function findHouse(slug: string): House | undefined {
  return HOUSES.find((house) => house.slug === slug);
}

/** As in "€1,450". */
export function euros(amount: number): string {
  return `€${amount.toLocaleString('en-GB')}`;
}
