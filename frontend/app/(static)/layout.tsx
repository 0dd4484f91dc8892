import type { ReactNode } from 'react';
import { SessionHeader } from '@/components/session-header';
import { SiteFooter } from '@/components/site-footer';

/** Pages made at build time, the same file for everybody; the browser asks who is reading. */
export default function StaticLayout({ children }: { children: ReactNode }) {
  return (
    <>
      <SessionHeader />
      <main id="content">{children}</main>
      <SiteFooter />
    </>
  );
}
