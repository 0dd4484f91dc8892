export function getServerSideProps() {
  return { redirect: { destination: '/old/kept', permanent: false } };
}

export default function Page() {
  return null;
}
