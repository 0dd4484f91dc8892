import { draftMode } from 'next/headers';

export default async function Page() {
  return <h1>{(await draftMode()).isEnabled ? 'Draft' : 'Published'}</h1>;
}
