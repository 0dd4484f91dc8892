'use client';

import { useSyncExternalStore } from 'react';

const neverChanges = () => () => {};

/**
 * False on the server and until React runs in the browser.
 *
 * A button that only a script can answer stays disabled until then, so that an early
 * click does not submit its form natively and leave the visitor with a page of JSON.
 */
export function useHydrated(): boolean {
  return useSyncExternalStore(
    neverChanges,
    () => true,
    () => false,
  );
}
