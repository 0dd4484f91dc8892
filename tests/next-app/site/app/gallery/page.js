import Link from 'next/link';

export default function Page() {
  return (
    <main>
      <h1>Gallery</h1>
      <Link href="/gallery/photo/7">Photo 7</Link>
    </main>
  );
}
