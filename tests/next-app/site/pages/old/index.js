import Link from 'next/link';

export async function getServerSideProps({ req, query }) {
  const user = req.headers['x-forwarded-user'] ?? null;
  return { props: { user, url: req.url, q: query.q ?? null, theme: req.cookies.theme ?? null } };
}

export default function Page(props) {
  return (
    <main>
      <h1>Old pages</h1>
      <pre>{JSON.stringify(props)}</pre>
      <Link href="/old/kept">Kept</Link>
    </main>
  );
}
