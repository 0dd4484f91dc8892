export default function Account ({ user, ends }) {
  return <main>{`${user} until ${ends}`}</main>
}

export async function getServerSideProps ({ req }) {
  const { passport, cookie } = req.session
  return { props: { user: passport ? passport.user : 'nobody', ends: String(cookie.expires) } }
}
