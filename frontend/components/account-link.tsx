'use client';

import Link from 'next/link';
import { usePathname, useRouter } from 'next/navigation';
import { useState, type MouseEvent, type ReactNode } from 'react';
import { accountPath } from '@/lib/return-path';
import { AccountDialog } from './account-dialog';
import type { AccountPage } from './account-form';

interface Props {
  page: AccountPage;
  className: string;
  children: ReactNode;
}

/**
 * A link to the sign-in or register page that opens the same form in a dialog instead,
 * once scripts run. Both lead back to the page that it stands on.
 */
export function AccountLink({ page, className, children }: Props) {
  const pathname = usePathname();
  const router = useRouter();
  const [opened, setOpened] = useState<{ next: string } | null>(null);
  const isOnAccountPage = pathname === '/sign-in' || pathname === '/register';

  function open(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return; // A new tab.
    event.preventDefault();
    const { search } = window.location;
    if (isOnAccountPage) router.push(`/${page}${search}`); // Keeps where to go afterwards.
    else setOpened({ next: pathname + search });
  }

  return (
    <>
      <Link className={className} href={accountPath(page, isOnAccountPage ? '/' : pathname)} onClick={open}>
        {children}
      </Link>
      {opened && <AccountDialog page={page} next={opened.next} onClose={() => setOpened(null)} />}
    </>
  );
}
