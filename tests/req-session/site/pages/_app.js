// As the course's sites have it: the user is read in one place, from `req.session`.
export default function App ({ Component, pageProps, user }) {
  return (
    <>
      <header>{user === null ? 'guest' : `signed in as ${user}`}</header>
      <Component {...pageProps} />
    </>
  )
}

App.getInitialProps = async ({ Component, ctx }) => {
  const session = ctx.req && ctx.req.session
  const user = session && session.passport ? session.passport.user : null
  const pageProps = Component.getInitialProps ? await Component.getInitialProps(ctx) : {}
  return { user, pageProps }
}
