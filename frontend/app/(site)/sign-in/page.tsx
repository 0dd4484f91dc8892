import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { AccountForm } from '@/components/account-form';
import { returnPath } from '@/lib/return-path';
import { currentUser } from '@/lib/user';

export const metadata: Metadata = { title: 'Sign in' };

interface Props {
  searchParams: Promise<{ next?: string | string[] }>;
}

export default async function SignInPage({ searchParams }: Props) {
  const next = returnPath((await searchParams).next);
  if (await currentUser()) redirect(next);

  return (
    <section className="account-page card">
      <h1>Sign in</h1>
      <p>Good to see you again.</p>
      <AccountForm key="sign-in" page="sign-in" next={next} />
    </section>
  );
}
