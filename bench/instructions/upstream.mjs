// An upstream that costs nothing to speak of: the same page of 1 KiB to whoever asks, with the fields
// that Next.js sends.
import { createServer } from 'node:net';

const answer = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'Vary: rsc, next-router-state-tree, next-router-prefetch, Accept-Encoding',
    'Cache-Control: private, no-cache, no-store, max-age=0, must-revalidate',
    'Content-Type: text/html; charset=utf-8',
    'ETag: "3qvqqyi1fls2i"',
    'Date: Tue, 24 Nov 2026 18:00:00 GMT',
    'Connection: keep-alive',
    'Keep-Alive: timeout=5',
    'Content-Length: 1024',
    '',
    'x'.repeat(1024),
  ].join('\r\n'),
);

const server = createServer({ noDelay: true }, (socket) => {
  let head = '';
  socket.on('data', (bytes) => {
    head += bytes.toString('latin1');
    for (let end; (end = head.indexOf('\r\n\r\n')) >= 0; head = head.slice(end + 4)) {
      socket.write(answer);
    }
  });
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
