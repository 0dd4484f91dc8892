// What the gateway replaces: sessions, accounts and a proxy in one Express server, with the packages
// that such a site has and the options that it gives them (`docs/express-settings.md`).
//
// Prints its port once it listens. A line a request goes to the standard error, as the gateway's do.
import http from 'node:http';
import bcrypt from 'bcrypt';
import connectSessionSequelize from 'connect-session-sequelize';
import express from 'express';
import session from 'express-session';
import httpProxy from 'http-proxy';
import passport from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { DataTypes, Sequelize } from 'sequelize';

const { UPSTREAM, PGHOST, PGDATABASE, SESSION_SECRET } = process.env;
const MONTH = 30 * 24 * 60 * 60 * 1000;

const sequelize = new Sequelize(PGDATABASE, 'postgres', '', {
  dialect: 'postgres',
  host: PGHOST,
  logging: false,
});
const User = sequelize.define(
  'user',
  { email: { type: DataTypes.STRING, unique: true }, password: DataTypes.STRING },
  { timestamps: false },
);
const Store = connectSessionSequelize(session.Store);
const store = new Store({ db: sequelize });
await sequelize.sync();

passport.use(
  new LocalStrategy({ usernameField: 'email' }, async (email, password, done) => {
    try {
      const user = await User.findOne({ where: { email } });
      const matches = user && (await bcrypt.compare(password, user.password));
      done(null, matches ? user : false);
    } catch (error) {
      done(error);
    }
  }),
);
passport.serializeUser((user, done) => done(null, user.email));
passport.deserializeUser((email, done) => {
  User.findOne({ where: { email } }).then((user) => done(null, user), done);
});

const proxy = httpProxy.createProxyServer({
  target: UPSTREAM,
  xfwd: true,
  agent: new http.Agent({ keepAlive: true }),
});
proxy.on('error', (error, request, response) => response.writeHead(502).end());

const site = express();
site.use((request, response, next) => {
  const began = process.hrtime.bigint();
  response.once('finish', () => {
    const took = Number(process.hrtime.bigint() - began) / 1e6;
    const { method, path } = request;
    process.stderr.write(`${new Date().toISOString()} ${method} ${path} ${response.statusCode} ${took}ms\n`);
  });
  next();
});
site.use(
  session({
    secret: SESSION_SECRET,
    name: 'nextbnb',
    resave: false,
    saveUninitialized: true,
    cookie: { secure: false, maxAge: MONTH },
    store,
  }),
);
site.use(passport.initialize());
site.use(passport.session());
site.post('/api/auth/login', express.json(), passport.authenticate('local'), (request, response) => {
  response.json({ status: 'success', message: 'Logged in' });
});
site.use((request, response) => {
  if (request.user) request.headers['x-forwarded-user'] = request.user.id;
  proxy.web(request, response);
});

const server = site.listen(Number(process.env.PORT), '127.0.0.1', 4096, () => {
  console.log(server.address().port);
});
server.keepAliveTimeout = 75_000; // As the gateway's and nginx's; Node's own 5 s would end what rests.
