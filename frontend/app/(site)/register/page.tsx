import type { Metadata } from 'next';
import { redirect } from 'next/navigation';
import { AccountForm } from '@/components/account-form';
import { returnPath } from '@/lib/return-path';
import { currentUser } from '@/lib/user';

export const metadata: Metadata = { title: 'Register' };

interface Props {
  searchParams: Promise<{ next?: string | string[] }>;
}

export default async function RegisterPage({ searchParams }: Props) {
  const next = returnPath((await searchParams).next);
  if (await currentUser()) redirect(next);

  return (
    <section className="account-page card">
      <h1>Register</h1>
      <p>An account keeps your trips.</p>
      <AccountForm key="register" page="register" next={next} />
    </section>
  );
}
