import { unstable_cache } from 'next/cache';

const count = unstable_cache(async () => (globalThis.made = (globalThis.made ?? 0) + 1), ['count'], {
  tags: ['count'],
});

export const dynamic = 'force-dynamic';

export default async function Page() {
  return <h1>Made {await count()}</h1>;
}
