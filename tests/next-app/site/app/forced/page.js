import { headers } from 'next/headers';

export const dynamic = 'force-static';

export default async function Page() {
  return <h1>Forced {(await headers()).get('x-forwarded-user') ?? 'nobody'}</h1>;
}
