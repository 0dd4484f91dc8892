// The packages' own answers to one JSON array of questions: what Express would find in a cookie
// header, and whom it would find in a row.
import { parse } from 'cookie';
import { unsign } from 'cookie-signature';
import { text } from 'node:stream/consumers';

const questions = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(questions.map(answer)));

function answer({ header, name, secrets, data, signedOut }) {
  const row = rowOf(data);
  // Compared as JavaScript reads it, not as it is spelt.
  if (signedOut !== null) row.signedOutHere = spelling(JSON.parse(signedOut));
  return { sid: sidOf(header, name, secrets), row };
}

// express-session's `getcookie`.
function sidOf(header, name, secrets) {
  const value = parse(header)[name];
  if (!value?.startsWith('s:')) return null;
  for (const secret of secrets) {
    const sid = unsign(value.slice(2), secret);
    if (sid !== false) return sid || null;
  }
  return null;
}

// What `createSession` needs to make a session of a row, whom Passport then looks up, and the row
// once nobody is signed in. A cookie that is a list Express would take; nobody writes one.
function rowOf(data) {
  let row;
  try {
    row = JSON.parse(data);
  } catch {
    return { readable: false };
  }
  if (!isObject(row) || !isObject(row.cookie) || !isLife(row.cookie.originalMaxAge)) {
    return { readable: false };
  }
  const user = row.passport?.user;
  const isAddress = typeof user === 'string' && user !== '' && user.isWellFormed();
  const answer = { readable: true, user: isAddress ? user : null };
  if (isAddress) {
    delete row.passport.user;
    answer.signedOut = spelling(row);
  }
  return answer;
}

// Nothing for what is too deep: Node can read it, and not write it.
function spelling(value) {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isLife(value) {
  return value == null || value === false || value === '' || typeof value === 'number';
}
