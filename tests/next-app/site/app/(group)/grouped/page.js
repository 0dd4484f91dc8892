export default function Page() {
  return <h1>Grouped</h1>;
}
