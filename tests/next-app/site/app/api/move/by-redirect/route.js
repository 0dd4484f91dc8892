import { redirect } from 'next/navigation';

export async function GET() {
  redirect('/plain?by=redirect');
}
