// The package in front of express-session and passport: unchanged servers believe the gateway.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { FOLDER, PACKAGE, TOKEN, headersFor, start } from './servers.mjs'

const folder = path.join(FOLDER, 'express')
const NODE_12 = path.join(folder, 'node_modules/node/bin/node')
const SESSION = {
  id: 'the-sid',
  cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' },
  passport: { user: 'ada@example.org' }
}
const fromGateway = { 'X-Nextbnb-Token': TOKEN }
const run = options => start({ folder, commandline: () => ['server.js'], ...options })

for (const [title, node, passport] of [
  ['passport 0.7 on this Node', process.execPath, 'passport'],
  ['passport 0.7 on Node 12', NODE_12, 'passport'],
  ['passport 0.4 on Node 12', NODE_12, 'passport-0.4']
]) {
  describe(title, () => {
    let server
    before(async () => { server = await run({ node, env: { PASSPORT: passport } }) })
    after(() => server && server.stop())
    const get = (path, headers) => fetch(server.origin + path, { headers })
    const json = async (path, headers) => (await get(path, headers)).json()

    test('express-session is silent: no store is asked, no cookie is set', async () => {
      const before = await json('/asked', fromGateway)
      for (const headers of [fromGateway, headersFor(SESSION)]) {
        assert.equal((await get('/me', headers)).headers.get('set-cookie'), null)
      }
      assert.equal(await json('/asked', fromGateway), before)
    })

    test('passport knows who is signed in', async () => {
      const { id, ...session } = SESSION
      const user = { email: 'ada@example.org' }
      assert.deepEqual(
        await json('/me', headersFor(SESSION)),
        { signedIn: true, user, session, sessionID: id, maxAge: null }
      )
      const guest = await json('/me', fromGateway)
      assert.deepEqual([guest.signedIn, guest.user], [false, null])
      assert.ok(!server.said.includes('NEXTBNB_SESSION_NOT_KEPT'), 'reading is no writing')
    })

    test('past the gateway the server is what it was', async () => {
      const answer = await get('/me', { 'X-Nextbnb-Session': headersFor(SESSION)['X-Nextbnb-Session'] })
      assert.match(answer.headers.get('set-cookie'), /^connect.sid=/)
      assert.equal((await answer.json()).signedIn, false)
    })

    test('every method of a session calls back', async () => {
      const steps = await json('/steps', headersFor(SESSION))
      assert.deepEqual(steps, { regenerated: { passport: null }, gone: true })
    })

    test('a sign-in of its own lasts for the request, and that is said', async () => {
      const answer = await get('/sign-in', fromGateway)
      assert.deepEqual(await answer.json(), { email: 'new@example.org' })
      assert.equal(answer.headers.get('set-cookie'), null)
      assert.match(server.said, /NEXTBNB_SESSION_NOT_KEPT/)
    })
  })
}

describe('the token', () => {
  const load = env => spawnSync(process.execPath, ['--require', PACKAGE, '-e', ''], {
    env: { ...env, PATH: process.env.PATH }, encoding: 'utf8'
  })

  test('without one nothing loads, unless the port is said to be private', () => {
    for (const env of [{}, { NEXTBNB_TOKEN: '' }, { NEXTBNB_TOKEN: 'short' }]) {
      const { status, stderr } = load(env)
      assert.notEqual(status, 0)
      assert.match(stderr, /give the gateway's token in NEXTBNB_TOKEN/)
    }
    assert.equal(load({ NEXTBNB_TOKEN: TOKEN }).status, 0)
    assert.equal(load({ NEXTBNB_PORT_IS_PRIVATE: '1' }).status, 0)
  })

  test('a private port believes whoever reaches it', async () => {
    const env = { PASSPORT: 'passport', NEXTBNB_TOKEN: '', NEXTBNB_PORT_IS_PRIVATE: '1' }
    const server = await run({ env })
    try {
      const headers = headersFor(SESSION, '')
      assert.equal((await (await fetch(server.origin + '/me', { headers })).json()).signedIn, true)
    } finally {
      await server.stop()
    }
  })

  test('its file may come later than the server, and until then nobody is believed', async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'token-'))
    const file = path.join(home, 'token')
    const env = { PASSPORT: 'passport', NEXTBNB_TOKEN: '', NEXTBNB_TOKEN_FILE: file }
    const server = await run({ env })
    const signedIn = async () => {
      const answer = await fetch(server.origin + '/me', { headers: headersFor(SESSION) })
      return (await answer.json()).signedIn
    }
    try {
      assert.equal(await signedIn(), false)
      writeFileSync(file, TOKEN + '\n')
      assert.equal(await signedIn(), true)
    } finally {
      await server.stop()
      rmSync(home, { recursive: true })
    }
  })
})
