import { cookies } from 'next/headers';

export async function GET() {
  const jar = await cookies();
  jar.set('first', 'a b;c', { path: '/', maxAge: 60 });
  jar.set('second', '2', { path: '/', httpOnly: true, secure: true, sameSite: 'none' });
  jar.delete('third');
  return Response.json(jar.getAll().map(({ name, value }) => `${name}=${value}`).sort());
}
