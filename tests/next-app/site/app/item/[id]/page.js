export const dynamicParams = true;

export function generateStaticParams() {
  return [{ id: '1' }, { id: '2' }];
}

export default async function Page({ params }) {
  return <h1>Item {decodeURIComponent((await params).id)}</h1>;
}
