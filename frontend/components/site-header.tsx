import Link from 'next/link';
import type { User } from '@/lib/user';
import { AccountLink } from './account-link';
import { LogOutButton } from './log-out-button';
import { Logo } from './logo';

interface Props {
  /** `undefined` while a prerendered page still asks who is reading it. */
  user: User | null | undefined;
}

export function SiteHeader({ user }: Props) {
  return (
    <header className="site-header">
      <div className="site-header__inner">
        <Link className="site-header__home" href="/" aria-label="nextbnb, home">
          <Logo />
          <span className="site-header__word">nextbnb</span>
        </Link>
        <nav className="site-header__nav" aria-label="Main">
          {/* What /trips answers depends on who asks, so it is not fetched ahead. */}
          <Link href="/trips" prefetch={false}>
            Trips
          </Link>
          <Link className="site-header__about" href="/about">
            About
          </Link>
        </nav>
        <div className="site-header__account">{user === undefined ? null : accountOf(user)}</div>
      </div>
    </header>
  );
}

function accountOf(user: User | null) {
  if (!user) {
    return (
      <>
        <AccountLink className="site-header__link" page="sign-in">
          Sign in
        </AccountLink>
        <AccountLink className="button button--small" page="register">
          Register
        </AccountLink>
      </>
    );
  }
  const called = user.name ?? user.email;
  return (
    <>
      {/* One string, so that it is one piece of text in the HTML too. */}
      <span className="site-header__greeting" title={user.email}>{`Hello, ${called}`}</span>
      <LogOutButton />
    </>
  );
}
