'use client';

import { useEffect, useState } from 'react';
import type { User } from './user';

/** What `/.nextbnb/session` answers. The gateway serves it; this site has no such route. */
interface SessionAnswer {
  user: { id: number; email: string; name: string | null } | null;
}

// One question for all components of a page. It need not be asked again, because signing
// in and out load a new page.
let asked: Promise<User | null> | undefined;

/**
 * The user, for client components and prerendered pages: `undefined` until the gateway
 * has answered, then a user, or `null` for a guest.
 *
 * Good enough to greet somebody. What a guest may not see must be decided on the server.
 */
export function useUser(): User | null | undefined {
  const [user, setUser] = useState<User | null>();

  useEffect(() => {
    let mounted = true;
    asked ??= askGateway();
    void asked.then((answer) => {
      if (mounted) setUser(answer);
    });

    // The back button can bring a page back as it was before somebody logged out.
    const reloadIfRestored = (event: PageTransitionEvent) => {
      if (event.persisted) window.location.reload();
    };
    window.addEventListener('pageshow', reloadIfRestored);
    return () => {
      mounted = false;
      window.removeEventListener('pageshow', reloadIfRestored);
    };
  }, []);

  return user;
}

async function askGateway(): Promise<User | null> {
  try {
    const response = await fetch('/.nextbnb/session', { cache: 'no-store' });
    if (!response.ok) return null; // 404: no gateway in front, so everybody is a guest.
    const { user } = (await response.json()) as SessionAnswer;
    return user && { ...user, id: String(user.id) };
  } catch {
    return null;
  }
}
