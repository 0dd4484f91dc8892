import { cookies, headers } from 'next/headers';

const TOLD = ['x-forwarded-user', 'x-forwarded-email', 'accept-language', 'x-custom'];

export default async function Page({ searchParams }) {
  const [fields, jar, query] = [await headers(), await cookies(), await searchParams];
  const told = TOLD.map((name) => [name, fields.get(name)]);
  return (
    <main>
      <h1>Dynamic</h1>
      <pre>{JSON.stringify({ told, theme: jar.get('theme')?.value, query })}</pre>
    </main>
  );
}
