export function getStaticPaths() {
  return { paths: [{ params: { id: 'one' } }], fallback: 'blocking' };
}

export function getStaticProps({ params }) {
  if (params.id === 'none') return { notFound: true };
  return { props: { id: params.id } };
}

export default function Page({ id }) {
  return <h1>Old {id}</h1>;
}
