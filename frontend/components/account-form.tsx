'use client';

import Link from 'next/link';
import { useId, useState, type FormEvent, type MouseEvent } from 'react';
import { postAccount } from '@/lib/account';
import { accountPath } from '@/lib/return-path';
import { useHydrated } from '@/lib/use-hydrated';
import { Field } from './field';

export type AccountPage = 'sign-in' | 'register';

export const TITLES: Record<AccountPage, string> = { 'sign-in': 'Sign in', register: 'Register' };

interface Props {
  page: AccountPage;
  /** Where to go afterwards: a path of this site. */
  next: string;
  /** Shows the other form in place; without it the link leads to the other page. */
  onSwitch?: (page: AccountPage) => void;
}

/**
 * Signs somebody in or registers them. The gateway judges what is typed; only what is
 * plainly missing is said without asking it.
 */
export function AccountForm({ page, next, onSwitch }: Props) {
  const isHydrated = useHydrated();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const problemId = useId();
  const isRegister = page === 'register';
  const action = isRegister ? 'register' : 'login';
  const field = { describedBy: problem ? problemId : undefined };

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const body = bodyOf(form);
    if (!body.email || !body.password) {
      form.querySelector<HTMLInputElement>(`[name=${body.email ? 'password' : 'email'}]`)?.focus();
      return setProblem('Enter your email and a password.');
    }

    setBusy(true);
    setProblem('');
    const outcome = await postAccount(action, body);
    // A new page, not a client navigation: the router keeps pages rendered for a guest.
    if (outcome.success) return window.location.assign(next);
    setBusy(false);
    setProblem(outcome.message);
  }

  return (
    // "post" although a script sends it: a native submit must never put a password into the address.
    <form className="form" method="post" action={`/api/auth/${action}`} noValidate onSubmit={submit}>
      <noscript>
        <p className="notice">
          {isRegister ? 'Registering needs JavaScript: ' : 'Signing in needs JavaScript: '}
          the server answers this form with data that only a script can read. Everything else on this site
          can be read without.
        </p>
      </noscript>

      {isRegister && <Field {...field} label="Name (optional)" name="name" autoComplete="name" maxLength={100} />}
      <Field
        {...field}
        label="Email"
        name="email"
        type="email"
        autoComplete={isRegister ? 'email' : 'username'}
        required
      />
      <Field
        {...field}
        label="Password"
        name="password"
        type="password"
        autoComplete={isRegister ? 'new-password' : 'current-password'}
        hint={isRegister ? '8 characters or more.' : undefined}
        required
      />
      {isRegister && (
        <Field
          {...field}
          label="Confirm password"
          name="passwordconfirmation"
          type="password"
          autoComplete="new-password"
          required
        />
      )}

      <p className="form__problem" role="alert" id={problemId}>
        {problem}
      </p>
      <button className="button button--wide" disabled={!isHydrated || isBusy} aria-busy={isBusy}>
        {TITLES[page]}
      </button>
      <OtherPage page={page} next={next} onSwitch={onSwitch} />
    </form>
  );
}

function OtherPage({ page, next, onSwitch }: Props) {
  const other: AccountPage = page === 'register' ? 'sign-in' : 'register';

  function follow(event: MouseEvent) {
    if (!onSwitch) return;
    event.preventDefault();
    onSwitch(other);
  }

  return (
    <p className="form__other">
      {page === 'register' ? 'Already registered?' : 'New here?'}{' '}
      <Link href={accountPath(other, next)} onClick={follow}>
        {page === 'register' ? 'Sign in instead' : 'Create an account'}
      </Link>
    </p>
  );
}

function bodyOf(form: HTMLFormElement): Record<string, string> {
  const fields = [...new FormData(form)].map(([name, value]) => [name, String(value)] as const);
  // An address is never meant to start or end with a space; a password may be.
  const typed = fields.map(([name, value]) => [name, name.includes('password') ? value : value.trim()] as const);
  return Object.fromEntries(typed.filter(([name, value]) => name !== 'name' || value !== ''));
}
