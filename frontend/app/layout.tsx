import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import './styles/tokens.css';
import './styles/base.css';
import './styles/header.css';
import './styles/home.css';
import './styles/house.css';
import './styles/forms.css';
import './styles/trips.css';

export const metadata: Metadata = {
  title: { default: 'nextbnb: houses worth the journey', template: '%s · nextbnb' },
  description: 'Six houses with a story, from a lighthouse to an oak.',
};

export const viewport: Viewport = {
  colorScheme: 'light dark',
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#fbf7f0' },
    { media: '(prefers-color-scheme: dark)', color: '#14181c' },
  ],
};

/** Reads no headers, so that pages outside the `(site)` group can be prerendered. */
export default function RootLayout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        {/* Hides what only a script can answer; the plain twin beside it is in a <noscript> too. */}
        <noscript>
          <style>{'.needs-script { display: none }'}</style>
        </noscript>
        <a className="skip-link" href="#content">
          Skip to content
        </a>
        {children}
      </body>
    </html>
  );
}
