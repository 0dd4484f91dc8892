'use client';

import { useState, type FormEvent } from 'react';
import { postAccount } from '@/lib/account';
import { useHydrated } from '@/lib/use-hydrated';

export function LogOutButton() {
  const isHydrated = useHydrated();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');

  async function logOut(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem('');
    const outcome = await postAccount('logout', {});
    // A new page, not a client navigation: the router keeps pages rendered for the old user.
    if (outcome.success) return window.location.assign('/');
    setBusy(false);
    setProblem(outcome.message);
  }

  return (
    <div className="log-out">
      <form method="post" action="/api/auth/logout" onSubmit={logOut}>
        <button className="button button--small button--quiet needs-script" disabled={!isHydrated || isBusy}>
          Log out
        </button>
        {/* Ends the session as well; the browser then shows the JSON answer. */}
        <noscript>
          <button className="button button--small button--quiet">Log out</button>
        </noscript>
      </form>
      <p className="log-out__problem" role="alert">
        {problem}
      </p>
    </div>
  );
}
