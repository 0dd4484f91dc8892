// Express servers for the differential tests, any number in one process.
//
// Reads one JSON object a line, starts what it describes and answers `{"port":…}`; ends when its
// input ends. `{"sessions":null}` is the application alone, as it stands behind the gateway.
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import bcrypt from 'bcrypt';
import connectSessionSequelize from 'connect-session-sequelize';
import express from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { DataTypes, Sequelize, UniqueConstraintError } from 'sequelize';
import { application } from './application.mjs';

// What `passport.user` is, and the account that it names.
const KEYS = {
  email: [(user) => user.email, (User, email) => User.findOne({ where: { email } })],
  id: [(user) => user.id, (User, id) => User.findByPk(id)],
  object: [(user) => ({ id: user.id, username: user.email }), (User, { id }) => User.findByPk(id)],
};

process.env.NODE_ENV = 'production'; // Error pages without stacks.
console.error = () => {}; // What Express says of its failures; the tests compare its answers.

for await (const line of createInterface({ input: process.stdin })) {
  const settings = JSON.parse(line);
  const site = settings.sessions ? await withSessions(settings) : behindTheGateway();
  const server = createServer(site).listen(0, '127.0.0.1');
  await once(server, 'listening');
  console.log(JSON.stringify({ port: server.address().port }));
}
process.exit();

function behindTheGateway() {
  const site = express();
  site.use(express.json());
  site.use(application((request) => request.get('x-forwarded-email')));
  return site;
}

async function withSessions({ database, sessions, trustProxy = false }) {
  const sequelize = connect(database);
  const User = users(sequelize, sessions.usersTable ?? 'users', sessions.users);
  const { store: storeOptions = {}, keepSessionInfo = false, ...sessionOptions } = sessions;
  if (storeOptions.table) oddSessions(sequelize, storeOptions.table);
  const Store = connectSessionSequelize(session.Store);
  const store = new Store({ db: sequelize, checkExpirationInterval: -1, ...storeOptions });
  await sequelize.sync();

  const passport = signingIn(User, sessions.users?.key);
  const site = express();
  site.set('trust proxy', trustProxy);
  site.use(express.json());
  site.use(session({ ...sessionOptions, store }));
  site.use(passport.initialize());
  site.use(passport.session());
  addAuthRoutes(site, User, passport, { keepSessionInfo });
  site.use('/only-express', sessionRoutes());
  site.use(application((request) => request.user?.email));
  return site;
}

function connect(url) {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  return new Sequelize(pathname.slice(1), decodeURIComponent(username), password, {
    dialect: 'postgres',
    host: searchParams.get('host') ?? hostname,
    port: port || 5432,
    logging: false,
    pool: { max: 4 },
  });
}

// Of what type `id` is, and what the other attributes are called in the table.
function users(sequelize, tableName, { id, email, password } = {}) {
  const ids = {
    uuid: { type: DataTypes.UUID, defaultValue: DataTypes.UUIDV4, primaryKey: true },
    bigint: { type: DataTypes.BIGINT, autoIncrement: true, primaryKey: true },
  };
  const User = sequelize.define(
    'user',
    {
      ...(id && { id: ids[id] }),
      email: { type: DataTypes.STRING, allowNull: false, unique: true, field: email },
      password: { type: DataTypes.STRING, allowNull: false, field: password },
    },
    { timestamps: false, tableName },
  );
  User.beforeCreate(async (user) => {
    user.password = await bcrypt.hash(user.password, await bcrypt.genSalt(10));
  });
  return User;
}

// A model of the site's own, in which a session's text becomes a JSON string.
function oddSessions(sequelize, name) {
  sequelize.define(
    name,
    {
      sid: { type: DataTypes.CHAR(36), primaryKey: true },
      expires: DataTypes.DATE,
      data: DataTypes.JSONB,
    },
    { tableName: 'Sessions' },
  );
}

function signingIn(User, key = 'email') {
  const passport = new Passport();
  const fields = { usernameField: 'email', passwordField: 'password' };
  passport.use(
    new LocalStrategy(fields, async (email, password, done) => {
      try {
        const user = await User.findOne({ where: { email } });
        if (!user) return done('User not found');
        const matches = await bcrypt.compare(password, user.password);
        return matches ? done(null, user) : done('Email and password do not match');
      } catch (error) {
        return done(error);
      }
    }),
  );
  const [written, find] = KEYS[key];
  passport.serializeUser((user, done) => done(null, written(user)));
  passport.deserializeUser((stored, done) => {
    find(User, stored).then((user) => done(null, user), done);
  });
  return passport;
}

// On the site itself: a router of its own would answer OPTIONS, too.
function addAuthRoutes(site, User, passport, options) {
  const say = (response, code, status, message) => {
    response.statusCode = code;
    response.end(JSON.stringify({ status, message }));
  };
  const enter = (request, response, user) => {
    request.login(user, options, (error) => {
      if (error) say(response, 500, 'error', error);
      else say(response, 200, 'success', 'Logged in');
    });
  };

  site.post('/api/auth/register', async (request, response) => {
    const { email, password, passwordconfirmation } = request.body;
    if (password !== passwordconfirmation) {
      return say(response, 200, 'error', 'Passwords do not match');
    }
    try {
      enter(request, response, await User.create({ email, password }));
    } catch (error) {
      const isTaken = error instanceof UniqueConstraintError;
      say(response, 500, 'error', isTaken ? 'User already exists' : 'An error occurred');
    }
  });

  site.post('/api/auth/login', (request, response) => {
    passport.authenticate('local', (error, user) => {
      if (error) say(response, 500, 'error', error);
      else if (!user) say(response, 500, 'error', 'No user matching credentials');
      else enter(request, response, user);
    })(request, response);
  });

  site.post('/api/auth/logout', (request, response, next) => {
    request.logout((error) => {
      if (error) return next(error);
      request.session.destroy((error) => {
        if (error) return next(error);
        say(response, 200, 'success', 'Logged out');
      });
    });
  });
}

// What a site does with its session beside signing in: here to leave rows that the gateway meets.
function sessionRoutes() {
  const routes = express.Router();
  routes.post('/keep', (request, response) => {
    Object.assign(request.session, request.body);
    response.end('kept');
  });
  routes.post('/cookie', (request, response) => {
    Object.assign(request.session.cookie, request.body);
    request.session.changed = true;
    response.end('changed');
  });
  routes.get('/kept', (request, response) => {
    const { cookie, passport, ...kept } = request.session;
    response.json(kept);
  });
  return routes;
}
