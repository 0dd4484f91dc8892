import type { Metadata } from 'next';
import { UserBadge } from '@/components/user-badge';

export const metadata: Metadata = { title: 'How this site knows you' };

export default function AboutPage() {
  return (
    <article className="prose">
      <h1>How this site knows you</h1>
      <UserBadge />
      <p>
        nextbnb keeps no passwords and no sessions. A gateway stands in front of it, signs people in, and
        tells the site with every request who is asking. The other pages are rendered with that knowledge:
        your name is in the first HTML that your browser sees.
      </p>
      <p>
        This page is different. It was made once, when the site was built, and everybody gets the same file.
        So your browser asks the gateway itself, and fills your name in.
      </p>
      <p>
        What the site does keep is your trips, under the number of your account: which house, which days,
        how many guests. Nothing else.
      </p>
      <noscript>
        <p className="notice">Without JavaScript this one page cannot tell who you are; all others can.</p>
      </noscript>
    </article>
  );
}
