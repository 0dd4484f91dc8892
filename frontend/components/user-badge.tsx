'use client';

import { useUser } from '@/lib/use-user';

/** Says who is reading a prerendered page. */
export function UserBadge() {
  const user = useUser();
  return (
    <p className="user-badge" aria-live="polite">
      {user === undefined && 'Asking who you are …'}
      {user === null && 'You are a guest.'}
      {user && `You are signed in as ${user.name ? `${user.name} (${user.email})` : user.email}.`}
    </p>
  );
}
