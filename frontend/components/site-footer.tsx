import Link from 'next/link';

export function SiteFooter() {
  return (
    <footer className="site-footer">
      <p>nextbnb is a demonstration. The houses are drawn, and so is the weather.</p>
      <p>
        <Link href="/about">How this site knows you</Link>
      </p>
    </footer>
  );
}
