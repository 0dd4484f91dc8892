// An upstream that costs nothing to speak of: the same page of 1 KiB to whoever asks, and the same built
// file below /_next/static/, with the fields that Next.js sends.
import { createServer } from 'node:net';

const connection = [
  'Date: Tue, 24 Nov 2026 18:00:00 GMT',
  'Connection: keep-alive',
  'Keep-Alive: timeout=5',
];

const page = answer(
  'HTTP/1.1 200 OK',
  'Vary: rsc, next-router-state-tree, next-router-prefetch, Accept-Encoding',
  'Cache-Control: private, no-cache, no-store, max-age=0, must-revalidate',
  'Content-Type: text/html; charset=utf-8',
  'ETag: "3qvqqyi1fls2i"',
);

const ofFile = [
  'Cache-Control: public, max-age=31536000, immutable',
  'ETag: W/"400-1939a1b2c3d"',
  'Vary: Accept-Encoding',
];
const file = answer(
  'HTTP/1.1 200 OK',
  ...ofFile,
  'Accept-Ranges: bytes',
  'Last-Modified: Tue, 24 Nov 2026 17:00:00 GMT',
  'Content-Type: application/javascript; charset=UTF-8',
);
const notModified = ['HTTP/1.1 304 Not Modified', ...ofFile, ...connection, '', ''].join('\r\n');

/** With 1 KiB. */
function answer(...head) {
  const lines = [...head, ...connection, 'Content-Length: 1024', '', 'x'.repeat(1024)];
  return Buffer.from(lines.join('\r\n'));
}

function answerTo(head) {
  if (!head.startsWith('GET /_next/static/')) return page;
  return /\r\nif-none-match:/i.test(head) ? notModified : file;
}

const server = createServer({ noDelay: true }, (socket) => {
  let head = '';
  socket.on('data', (bytes) => {
    head += bytes.toString('latin1');
    for (let end; (end = head.indexOf('\r\n\r\n')) >= 0; head = head.slice(end + 4)) {
      socket.write(answerTo(head.slice(0, end)));
    }
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
