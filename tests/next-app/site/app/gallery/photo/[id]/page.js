export default async function Page({ params }) {
  return <h1>Photo {(await params).id} on its own</h1>;
}
