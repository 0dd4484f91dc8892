export const dynamic = 'force-dynamic';

export default async function Page({ params }) {
  return <h1>{JSON.stringify((await params).slug)}</h1>;
}
