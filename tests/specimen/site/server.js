// The site's one server: sessions, sign-in, a dozen API routes, and Next.js for the rest.
const crypto = require('crypto')
const bodyParser = require('body-parser')
const express = require('express')
const session = require('express-session')
const multer = require('multer')
const next = require('next')
const passport = require('passport')
const LocalStrategy = require('passport-local').Strategy
const SequelizeStore = require('connect-session-sequelize')(session.Store)

const sequelize = require('./database.js')
const houses = require('./houses.js')
const Booking = require('./models/booking.js')
const User = require('./models/user.js')

const port = parseInt(process.env.PORT, 10) || 3000
const nextApp = next({ dev: process.env.NODE_ENV !== 'production' })
const handle = nextApp.getRequestHandler()

passport.use(new LocalStrategy(
  { usernameField: 'email', passwordField: 'password' },
  async function (email, password, done) {
    if (!email || !password) return done('No user matching credentials', null)
    const user = await User.findOne({ where: { email } })
    if (!user) return done('User not found', null)
    if (!await user.isPasswordValid(password)) return done('Email and password do not match', null)
    return done(null, user)
  }
))
passport.serializeUser((user, done) => done(null, user.email))
passport.deserializeUser((email, done) => {
  User.findOne({ where: { email } }).then(user => done(null, user))
})

const failed = (res, message) => {
  res.statusCode = 500
  res.end(JSON.stringify({ status: 'error', message }))
}
const answer = (res, data) => {
  res.writeHead(200, { 'Content-Type': 'application/json' })
  res.end(JSON.stringify(data))
}
const signedIn = req => req.session.passport && req.session.passport.user
const onlyUsers = (req, res, next) => {
  if (signedIn(req)) return next()
  res.writeHead(403, { 'Content-Type': 'application/json' })
  res.end(JSON.stringify({ status: 'error', message: 'Unauthorized' }))
}

nextApp.prepare().then(async () => {
  const store = new SequelizeStore({ db: sequelize })
  await sequelize.sync()

  const server = express()
  server.use(bodyParser.json({ verify: (req, res, bytes) => { req.rawBody = bytes } }))
  server.use(session({
    secret: process.env.SESSION_SECRET,
    resave: false,
    saveUninitialized: true,
    name: 'nextbnb',
    cookie: { secure: false, maxAge: 30 * 24 * 60 * 60 * 1000 },
    store
  }), passport.initialize(), passport.session())

  server.post('/api/auth/register', async (req, res) => {
    const { email, password, passwordconfirmation } = req.body
    if (password !== passwordconfirmation) {
      return res.end(JSON.stringify({ status: 'error', message: 'Passwords do not match' }))
    }
    try {
      if (await User.findOne({ where: { email } })) return failed(res, 'User already exists')
      const user = await User.create({ email, password })
      req.login(user, error => {
        if (error) return failed(res, error)
        return res.end(JSON.stringify({ status: 'success', message: 'Logged in' }))
      })
    } catch (error) {
      failed(res, 'An error occurred')
    }
  })

  server.post('/api/auth/login', async (req, res) => {
    passport.authenticate('local', (error, user) => {
      if (error) return failed(res, error)
      if (!user) return failed(res, 'No user matching credentials')
      req.login(user, error => {
        if (error) return failed(res, error)
        return res.end(JSON.stringify({ status: 'success', message: 'Logged in' }))
      })
    })(req, res)
  })

  server.post('/api/auth/logout', (req, res) => {
    req.logout()
    req.session.destroy()
    return res.end(JSON.stringify({ status: 'success', message: 'Logged out' }))
  })

  // A link from an e-mail signs in as well, by another way than the form.
  server.get('/auth/link', async (req, res) => {
    const user = await User.findOne({ where: { email: String(req.query.email) } })
    if (!user) return failed(res, 'User not found')
    req.session.regenerate(() => req.login(user, () => res.redirect('/')))
  })

  server.get('/api/houses', (req, res) => answer(res, houses))
  server.get('/api/houses/:id', (req, res) => {
    answer(res, houses.find(house => house.id === parseInt(req.params.id, 10)))
  })

  server.get('/api/bookings/list', onlyUsers, async (req, res) => {
    const bookings = await Booking.findAll({ where: { email: signedIn(req) }, order: ['id'] })
    answer(res, bookings.map(({ id, house, paid }) => ({ id, house, paid })))
  })
  server.post('/api/bookings/new', onlyUsers, async (req, res) => {
    const booking = await Booking.create({ email: signedIn(req), house: req.body.house })
    answer(res, { id: booking.id })
  })

  // What a guest looked at is kept in the session.
  server.post('/api/seen/:id', (req, res) => {
    req.session.seen = [...(req.session.seen || []), parseInt(req.params.id, 10)]
    answer(res, req.session.seen)
  })
  server.get('/api/seen', (req, res) => answer(res, req.session.seen || []))

  server.post('/api/photos', onlyUsers, multer().single('photo'), (req, res) => {
    const sha256 = crypto.createHash('sha256').update(req.file.buffer).digest('hex')
    answer(res, { name: req.file.originalname, size: req.file.size, sha256 })
  })

  // The payment provider signs the bytes of what it sends; it has no cookie and no Origin.
  server.post('/api/payments/webhook', async (req, res) => {
    const signature = crypto.createHmac('sha256', process.env.WEBHOOK_SECRET)
    const expected = signature.update(req.rawBody).digest('hex')
    if (req.headers['x-signature'] !== expected) return res.status(400).end('bad signature')
    await Booking.update({ paid: true }, { where: { id: req.body.booking } })
    answer(res, { received: true })
  })

  server.all('*', (req, res) => handle(req, res))

  server.listen(port, () => console.log(`> Ready on http://localhost:${port}`))
})
