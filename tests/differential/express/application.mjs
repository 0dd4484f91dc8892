// What the site answers, whoever serves it: alone in Express, or behind the gateway.
import express from 'express';

const WHOLE_MEGABYTE = 'megabyte'.repeat(1024 * 128);

// `signedInAs(request)` tells the e-mail address of whoever asks, or nothing.
export function application(signedInAs) {
  const site = express.Router();
  const who = (request) => signedInAs(request) ?? 'a guest';

  site.get('/', (request, response) => response.send(`<p>Hello, ${who(request)}</p>`));
  site.get('/chunked', (request, response) => {
    response.write('one,');
    response.write(`two,${who(request)}`);
    response.end();
  });
  site.get('/sized', (request, response) => {
    response.set({ 'Content-Length': '4', 'Content-Type': 'text/plain' });
    response.end('four');
  });
  site.get('/large', (request, response) => response.type('txt').send(WHOLE_MEGABYTE));
  site.all('/empty', (request, response) => response.status(204).end());
  site.get('/unchanged', (request, response) => response.status(304).end());
  site.all('/moved', (request, response) => response.redirect(302, '/elsewhere'));
  site.get('/moved-for-good', (request, response) => response.redirect(308, '/elsewhere'));
  site.get('/forbidden', (request, response) => response.status(403).json({ error: 'no' }));
  site.get('/failed', (request, response) => response.status(500).json({ error: who(request) }));
  site.get('/thrown', () => {
    throw new Error('the application broke');
  });
  site.get('/cookies', (request, response) => {
    response.append('Set-Cookie', 'theme=dark; Path=/');
    response.append('Set-Cookie', 'language=en; Path=/; HttpOnly');
    response.send('two cookies');
  });
  site.get('/cookies-at-the-end', (request, response) => {
    response.writeHead(200, { 'Set-Cookie': 'theme=light', 'Content-Type': 'text/plain' });
    response.end('one cookie');
  });
  site.get('/public', cacheable('public, max-age=60'));
  site.get('/shared', cacheable('s-maxage=60'));
  site.get('/private', cacheable('private, no-store'));
  site.get('/_next/static/chunk.js', cacheable('public, max-age=31536000, immutable'));
  site.all('/echo', (request, response) => {
    response.json({ method: request.method, body: request.body ?? null, query: request.query });
  });
  site.all('/whole/*', (request, response) => response.type('txt').send(request.originalUrl));
  site.use('/api', (request, response) => response.status(404).json({ path: request.path }));
  return site;
}

function cacheable(policy) {
  return (request, response) => response.set('Cache-Control', policy).type('txt').send('the same');
}
