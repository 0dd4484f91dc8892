export function getStaticProps({ draftMode = false }) {
  return { props: { draftMode }, revalidate: 3600 };
}

export default function Page({ draftMode }) {
  return <h1>Kept {String(draftMode)}</h1>;
}
