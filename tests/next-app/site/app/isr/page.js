export const revalidate = 3600;

export default function Page() {
  return <h1>Kept for an hour</h1>;
}
