// The package before Next.js 9 to 16: pages of a site that was written for express-session.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FOLDER, TOKEN, headersFor, start } from './servers.mjs'

const ENDS = '2096-12-01T10:20:30.000Z'
const SESSION = {
  id: 'the-sid',
  cookie: { originalMaxAge: 2592000000, expires: ENDS, httpOnly: true, path: '/' },
  passport: { user: 'zoë@example.org' }
}

for (const version of ['next-9', 'next-12', 'next-14', 'next-16']) {
  const folder = path.join(FOLDER, version)
  const own = path.join(folder, 'node_modules/node/bin/node')
  const node = existsSync(own) ? own : process.execPath
  const next = (...words) => ['node_modules/next/dist/bin/next', ...words]

  describe(version, () => {
    before(() => {
      rmSync(path.join(folder, '.next'), { recursive: true, force: true })
      cpSync(path.join(FOLDER, 'site/pages'), path.join(folder, 'pages'), { recursive: true })
    })
    for (const mode of ['dev', 'start']) {
      describe(mode, () => {
        let server
        before(async () => {
          if (mode === 'start') execFileSync(node, next('build'), { cwd: folder, stdio: 'pipe' })
          server = await start({ node, folder, commandline: port => next(mode, '-p', String(port)) })
        })
        after(() => server && server.stop())
        checks(() => server)
      })
    }
  })
}

function checks (server) {
  const get = (path, headers) => fetch(server().origin + path, { headers })
  const text = async (path, headers) => (await get(path, headers)).text()
  const json = async (path, headers) => (await get(path, headers)).json()
  const signedIn = headersFor(SESSION)
  const guest = { 'X-Nextbnb-Token': TOKEN }

  test('_app.getInitialProps finds the user', async () => {
    assert.match(await text('/', signedIn), /<header>signed in as zoë@example.org<\/header>/)
    assert.match(await text('/', guest), /<header>guest<\/header>/)
  })

  test('getServerSideProps finds the user and the cookie', async () => {
    const page = await text('/account', signedIn)
    assert.ok(page.includes(`zoë@example.org until ${new Date(ENDS)}`), page)
    assert.match(await text('/account', guest), /nobody until null/)
  })

  test('an API route finds the session as it stands in the row', async () => {
    const { id, ...data } = SESSION
    assert.deepEqual(await json('/api/me', signedIn), { id, session: data })
  })

  test('a request that is not from the gateway is believed nothing', async () => {
    const nobody = { id: null, session: null }
    assert.deepEqual(await json('/api/me', headersFor(SESSION, 'a token of nobody')), nobody)
    assert.deepEqual(await json('/api/me', headersFor(SESSION, '')), nobody)
    const { 'X-Nextbnb-Session': told } = signedIn
    assert.deepEqual(await json('/api/me', { 'X-Nextbnb-Session': told }), nobody)
    assert.match(await text('/', { 'X-Nextbnb-Session': told }), /<header>guest<\/header>/)
  })

  test('what a page writes lasts as long as its request, and that is said once', async () => {
    for (let visit = 0; visit < 2; visit++) {
      assert.deepEqual(await json('/api/visits', signedIn), { visits: 1 })
    }
    assert.equal(server().said.split('NEXTBNB_SESSION_NOT_KEPT').length, 2, server().said)
  })

  test('no response gets a cookie', async () => {
    assert.equal((await get('/account', signedIn)).headers.get('set-cookie'), null)
  })
}
