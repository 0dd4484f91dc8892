import { calendarOf } from '@/lib/calendar';
import { tripsOf } from '@/lib/trips';
import { userOf } from '@/lib/user';

/** The signed-in user's trips for a calendar program; 401 for a guest. */
export async function GET(request: Request): Promise<Response> {
  const user = userOf(request);
  if (!user) return new Response('Sign in to see your trips.\n', { status: 401 });

  return new Response(calendarOf(await tripsOf(user.id), new Date()), {
    headers: {
      'content-type': 'text/calendar; charset=utf-8',
      'content-disposition': 'attachment; filename="nextbnb-trips.ics"',
      'cache-control': 'private, no-store',
    },
  });
}
