import { findHouse } from './houses';
import type { Trip } from './trips';

/** Writes trips as an iCalendar file (RFC 5545) of all-day events. */
export function calendarOf(trips: Trip[], now: Date): string {
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const events = trips.flatMap((trip) => {
    const house = findHouse(trip.house);
    if (!house) return [];
    return [
      'BEGIN:VEVENT',
      `UID:${trip.id}@nextbnb`,
      `DTSTAMP:${stamp}`,
      `DTSTART;VALUE=DATE:${trip.checkIn.replaceAll('-', '')}`,
      `DTEND;VALUE=DATE:${trip.checkOut.replaceAll('-', '')}`,
      `SUMMARY:${escaped(house.name)}`,
      `LOCATION:${escaped(house.place)}`,
      'END:VEVENT',
    ];
  });
  const lines = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//nextbnb//trips//EN', ...events, 'END:VCALENDAR'];
  return lines.map((line) => `${line}\r\n`).join('');
}

/** Text values: RFC 5545 §3.3.11. */
function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replaceAll('\n', '\\n');
}
