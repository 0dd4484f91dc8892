import type { Metadata } from 'next';
import Link from 'next/link';
import { SessionHeader } from '@/components/session-header';
import { SiteFooter } from '@/components/site-footer';

export const metadata: Metadata = { title: 'Not found' };

export default function NotFound() {
  return (
    <>
      <SessionHeader />
      <main id="content" className="prose">
        <h1>No house here</h1>
        <p>The path ends in a meadow. The address may be mistyped, or the house is no longer offered.</p>
        <p>
          <Link className="button" href="/">
            All houses
          </Link>
        </p>
      </main>
      <SiteFooter />
    </>
  );
}
