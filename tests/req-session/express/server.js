'use strict'
// A server in the course's style; PASSPORT names which passport it stands on.
const express = require('express')
const session = require('express-session')
const passport = require(process.env.PASSPORT)

const store = new session.MemoryStore()
let asked = 0
for (const name of ['get', 'set', 'touch', 'destroy']) {
  const ask = store[name]
  store[name] = function () {
    asked++
    return ask.apply(store, arguments)
  }
}

passport.serializeUser((user, done) => done(null, user.email))
passport.deserializeUser((email, done) => done(null, { email }))

const app = express()
app.use(session({ secret: 'its own', store, resave: false, saveUninitialized: true }))
app.use(passport.initialize())
app.use(passport.session())

app.get('/me', (req, res) => {
  const { session, sessionID, user = null } = req
  res.json({ signedIn: req.isAuthenticated(), user, session, sessionID, maxAge: session.cookie.maxAge })
})
app.get('/asked', (req, res) => res.json(asked))
app.get('/steps', (req, res, next) => {
  req.session.touch().save(error => {
    if (error) return next(error)
    req.session.reload(() => req.session.regenerate(() => {
      const regenerated = { passport: req.session.passport || null }
      req.session.destroy(() => res.json({ regenerated, gone: req.session === undefined }))
    }))
  })
})
app.get('/sign-in', (req, res, next) => {
  req.logIn({ email: 'new@example.org' }, error => error ? next(error) : res.json(req.user))
})
app.listen(process.env.PORT, '127.0.0.1')
