import Header from '../components/Header'

export default function MyApp ({ Component, pageProps, user }) {
  return (
    <>
      <Header user={user} />
      <Component {...pageProps} user={user} />
    </>
  )
}

MyApp.getInitialProps = async ({ Component, ctx }) => {
  let user = null
  if (ctx.req && ctx.req.session && ctx.req.session.passport && ctx.req.session.passport.user) {
    user = ctx.req.session.passport.user
  }
  const pageProps = Component.getInitialProps ? await Component.getInitialProps(ctx) : {}
  return { pageProps, user }
}
