import type { ReactNode } from 'react';
import { SiteFooter } from '@/components/site-footer';
import { SiteHeader } from '@/components/site-header';
import { currentUser } from '@/lib/user';

/** Pages rendered for each request: the header already knows the user in the first HTML. */
export default async function SiteLayout({ children }: { children: ReactNode }) {
  const user = await currentUser();
  return (
    <>
      <SiteHeader user={user} />
      <main id="content">{children}</main>
      <SiteFooter />
    </>
  );
}
