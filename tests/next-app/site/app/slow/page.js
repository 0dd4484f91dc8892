import { Suspense } from 'react';
import { connection } from 'next/server';

async function Late() {
  await connection();
  await new Promise((resolve) => setTimeout(resolve, 50));
  return <p>late part</p>;
}

export default function Page() {
  return (
    <main>
      <h1>Slow</h1>
      <Suspense fallback={<p>first part</p>}>
        <Late />
      </Suspense>
    </main>
  );
}
