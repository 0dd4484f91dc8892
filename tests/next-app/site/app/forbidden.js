export default function Forbidden() {
  return <h1>Not for you</h1>;
}
