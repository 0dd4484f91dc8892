export default async function Page({ params }) {
  return <dialog open>Photo {(await params).id} over the gallery</dialog>;
}
