'use strict'
// `req.session` for pages and servers behind nextbnb-gateway, as express-session would show it.
//
//   node --require nextbnb-req-session server.js
//   NODE_OPTIONS='--require nextbnb-req-session' next start
//
// The gateway resolves the session and tells of it in headers. This file puts a getter on the
// prototype of Node's requests: a page that reads `req.session` finds it there, a page that does
// not pays nothing, and express-session, which returns at once where `req.session` exists, asks no
// database and sets no cookie. Nothing is ever written back, and no response is touched.
//
// The headers are believed only from the gateway: `X-Nextbnb-Token` has to be the secret that both
// were given. A request without it is left as it is, to express-session or to nobody.
//
// Runs on Node 12 and later, so no newer syntax.

const crypto = require('crypto')
const fs = require('fs')
const http = require('http')

const TOKEN_HEADER = 'x-nextbnb-token'
const SESSION_HEADER = 'x-nextbnb-session'
const SHORTEST_TOKEN = 16
const INSTALLED = Symbol.for('nextbnb-req-session')

const givenToken = process.env.NEXTBNB_TOKEN
const tokenFile = process.env.NEXTBNB_TOKEN_FILE
const portIsPrivate = !givenToken && !tokenFile && process.env.NEXTBNB_PORT_IS_PRIVATE === '1'
let tokenDigest

if (givenToken ? givenToken.length < SHORTEST_TOKEN : !tokenFile && !portIsPrivate) {
  throw new Error(
    'nextbnb-req-session: give the gateway\'s token in NEXTBNB_TOKEN (at least ' + SHORTEST_TOKEN +
    ' characters) or NEXTBNB_TOKEN_FILE. Without it anybody who reaches this port could say who ' +
    'is signed in; where only the gateway can reach it, NEXTBNB_PORT_IS_PRIVATE=1 says so.'
  )
}

const COOKIE_KEYS = [
  'originalMaxAge', 'partitioned', 'priority', 'expires', 'secure', 'httpOnly', 'domain', 'path', 'sameSite'
]

/** Express-session's Cookie (1.19), as far as readers see it. */
class Cookie {
  constructor (told) {
    const all = Object.assign({ path: '/', httpOnly: true, expires: null, originalMaxAge: null }, told)
    for (const key of COOKIE_KEYS) if (key in all) this[key] = all[key]
  }

  get expires () { return this._expires }
  set expires (date) {
    // Hidden as in no row: JSON and loops see `expires`, by `toJSON`.
    const value = typeof date === 'string' ? new Date(date) : date
    Object.defineProperty(this, '_expires', { value, writable: true, configurable: true })
  }

  /** Milliseconds left, or null for a cookie that ends with the browser. */
  get maxAge () {
    return this.expires instanceof Date ? this.expires.valueOf() - Date.now() : this.expires
  }

  set maxAge (milliseconds) {
    this.expires = typeof milliseconds === 'number' ? new Date(Date.now() + milliseconds) : milliseconds
    this.originalMaxAge = this.maxAge
  }

  get data () {
    const data = {}
    for (const key of COOKIE_KEYS) data[key] = this[key]
    return data
  }

  toJSON () { return this.data }
}

/** Express-session's Session: what it changes lives as long as the request. */
class Session {
  constructor (request, told) {
    hide(this, 'req', request)
    hide(this, 'id', told.id)
    this.cookie = new Cookie(told.cookie)
    if (told.passport !== undefined) this.passport = told.passport
  }

  touch () { return this.resetMaxAge() }

  resetMaxAge () {
    this.cookie.maxAge = this.cookie.originalMaxAge
    return this
  }

  save (done) {
    later(done)
    return this
  }

  reload (done) {
    show(this.req, sessionOf(this.req))
    later(done)
    return this
  }

  destroy (done) {
    warnOnce('req.session.destroy()')
    show(this.req, undefined)
    later(done)
    return this
  }

  regenerate (done) {
    warnOnce('req.session.regenerate()')
    show(this.req, watched(new Session(this.req, {})))
    later(done)
    return this
  }
}

/** A session that tells, once, that what is written into it is not kept. */
function watched (session) {
  return new Proxy(session, {
    set (target, key, value) {
      if (!isPassportsEmptyStart(key, value)) warnOnce('req.session.' + String(key))
      target[key] = value
      return true
    },
    deleteProperty (target, key) {
      warnOnce('delete req.session.' + String(key))
      return delete target[key]
    }
  })
}

/** Passport 0.4 gives every session without a user an empty object: no news. */
function isPassportsEmptyStart (key, value) {
  return key === 'passport' && Boolean(value) && Object.keys(value).length === 0
}

let warned = false

function warnOnce (what) {
  if (warned) return
  warned = true
  process.emitWarning(
    what + ' changes nothing beyond this request: sessions belong to nextbnb-gateway, which ' +
    'keeps what register, login and logout write. (Said once; --trace-warnings shows where.)',
    'SessionWarning', 'NEXTBNB_SESSION_NOT_KEPT'
  )
}

/** The session that the gateway tells of, or undefined for a request that is not from it. */
function sessionOf (request) {
  if (!isFromGateway(request)) return undefined
  const told = request.headers[SESSION_HEADER]
  return watched(new Session(request, told === undefined ? {} : JSON.parse(decodeURIComponent(told))))
}

function isFromGateway (request) {
  // A response that this process receives is an IncomingMessage too, and has no method.
  if (typeof request.method !== 'string') return false
  if (portIsPrivate) return true
  const expected = expectedDigest()
  const given = request.headers[TOKEN_HEADER]
  return expected !== undefined && given !== undefined &&
    crypto.timingSafeEqual(digest(given), expected)
}

function digest (text) {
  return crypto.createHash('sha256').update(text).digest()
}

/** The digest of the token, or undefined while its file is not there. */
function expectedDigest () {
  if (tokenDigest === undefined) {
    const token = givenToken || readToken()
    if (token.length >= SHORTEST_TOKEN) tokenDigest = digest(token)
  }
  return tokenDigest
}

/** The gateway makes the file, and may start later than this process. */
function readToken () {
  try {
    return fs.readFileSync(tokenFile, 'utf8').trim()
  } catch (error) {
    if (error.code === 'ENOENT') return ''
    throw error
  }
}

function hide (object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, configurable: true })
}

/** Puts `session` on one request, in place of the getter. */
function show (request, session) {
  Object.defineProperty(request, 'session', {
    value: session, writable: true, enumerable: true, configurable: true
  })
}

function later (done) {
  if (typeof done === 'function') process.nextTick(done)
}

function install (prototype) {
  if (prototype[INSTALLED]) return // The binary's copy and npm's.
  hide(prototype, INSTALLED, true)
  Object.defineProperty(prototype, 'session', {
    configurable: true,
    get () {
      const session = sessionOf(this)
      if (session !== undefined) show(this, session)
      return session
    },
    set (session) { show(this, session) }
  })
  Object.defineProperty(prototype, 'sessionID', {
    configurable: true,
    get () {
      const session = this.session
      return session ? session.id : undefined
    },
    set (value) { hide(this, 'sessionID', value) }
  })
}

install(http.IncomingMessage.prototype)
