/**
 * How this site knows who is looking at it: the gateway in front of it says so, in three
 * request headers that it sets itself and strips from whatever a browser sends.
 *
 *   x-forwarded-user                 digits; the same for the life of the account
 *   x-forwarded-email                percent-encoded but for letters, digits and usual marks
 *   x-forwarded-preferred-username   percent-encoded UTF-8; absent when there is no name
 *
 * There are three ways to read the user, and no fourth:
 *
 *   server component    const user = await currentUser();   see app/(site)/layout.tsx
 *   (or Server Action)                                      and app/actions.ts
 *   route handler       const user = userOf(request);       see app/(site)/trips/calendar.ics/route.ts
 *   client component    const user = useUser();             see components/user-badge.tsx
 *
 * `useUser` is in ./use-user.ts, because a file that reads request headers may not be sent
 * to a browser. It is also the way for a prerendered page, which no request reaches.
 */
import { headers } from 'next/headers';

/** Somebody who is signed in; a guest is `null`. */
export interface User {
  /** What to key anything on that is kept: the address and the name can change. */
  id: string;
  email: string;
  name: string | null;
}

/** The user of the request that is being rendered. Makes the route dynamic. */
export async function currentUser(): Promise<User | null> {
  return userIn(await headers());
}

/** The user of a request that a route handler was given. */
export function userOf(request: Request): User | null {
  return userIn(request.headers);
}

function userIn(headers: Pick<Headers, 'get'>): User | null {
  const id = headers.get('x-forwarded-user');
  const email = decoded(headers.get('x-forwarded-email'));
  // Digits only, so a header that arrives twice ("7, 8") is nobody rather than somebody else.
  if (id === null || !/^\d{1,20}$/.test(id) || !email) return null;
  return { id, email, name: decoded(headers.get('x-forwarded-preferred-username')) || null };
}

function decoded(value: string | null): string {
  if (value === null) return '';
  try {
    return decodeURIComponent(value).trim();
  } catch {
    return value.trim(); // A lone "%" is a letter of the address, not an escape.
  }
}
