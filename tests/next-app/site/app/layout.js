import Link from 'next/link';

export const metadata = { title: 'next-app' };

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <nav>
          <Link href="/plain">Plain</Link> <Link href="/dynamic">Dynamic</Link>{' '}
          <Link href="/gallery">Gallery</Link> <Link href="/item/1">Item</Link>
        </nav>
        {children}
      </body>
    </html>
  );
}
