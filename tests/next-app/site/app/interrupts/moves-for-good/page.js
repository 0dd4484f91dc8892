import { connection } from 'next/server';
import { permanentRedirect } from 'next/navigation';

export default async function Page() {
  await connection();
  permanentRedirect('/plain');
}
