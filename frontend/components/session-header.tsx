'use client';

import { useUser } from '@/lib/use-user';
import { SiteHeader } from './site-header';

/** The header for prerendered pages, filled in by the browser. */
export function SessionHeader() {
  return <SiteHeader user={useUser()} />;
}
