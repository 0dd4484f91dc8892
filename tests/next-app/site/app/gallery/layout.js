export default function Layout({ children, modal }) {
  return (
    <section>
      {children}
      {modal}
    </section>
  );
}
