/**
 * Calendar days as `YYYY-MM-DD`, the way date inputs write them. They have no time zone,
 * sort as text, and mean the day at the house.
 */

const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether the text is a day that exists: not 31 April. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && dayOf(new Date(`${text}T00:00:00Z`)) === text;
}

/**
 * The earliest day that is still today somewhere on earth (UTC−12), so that nobody is
 * refused the date that their own calendar shows.
 */
export function earliestToday(now: Date): string {
  return dayOf(new Date(now.getTime() - DAY_MS / 2));
}

export function addDays(day: string, count: number): string {
  return dayOf(new Date(Date.parse(day) + count * DAY_MS));
}

export function nightsBetween(checkIn: string, checkOut: string): number {
  return Math.round((Date.parse(checkOut) - Date.parse(checkIn)) / DAY_MS);
}

// A fixed locale and time zone: server and browser must write the same text.
const SPOKEN = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});

/** As in "Fri 4 December 2026". */
export function spoken(day: string): string {
  return SPOKEN.format(new Date(`${day}T00:00:00Z`)).replace(',', '');
}

function dayOf(date: Date): string {
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 10);
}
