// Medians and quartiles.

export function quartiles(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
}

export const median = (values) => quartiles(values)[1];

// Between the two nearest, as the place between them says.
function quantile(sorted, share) {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place - Math.floor(place));
}

// Of each round by itself, so that what slows a whole round down cancels out.
export const ratios = (ours, theirs) => ours.map((value, round) => value / theirs[round]);
