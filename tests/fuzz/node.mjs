// Node's own parser, twice: behind the gateway, and asked directly. Tells what it sees, a line of JSON
// each, and ends with its input.
import http from 'node:http';

const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const patient = { keepAlive: true, keepAliveTimeout: 600_000, headersTimeout: 0, requestTimeout: 0 };

const behind = http.createServer(patient, (request, response) => {
  const number = seen++;
  const pieces = [];
  const { method, url, rawHeaders } = request;
  const record = (isWhole) =>
    tell({ number, method, url, rawHeaders, isWhole, body: Buffer.concat(pieces).toString('hex') });
  request.socket.isAwaited = true;
  request.on('data', (piece) => pieces.push(piece));
  request.on('end', () => {
    request.socket.isAwaited = false;
    record(true);
    response.setHeader('X-Seen', number).end('seen');
  });
  request.on('close', () => request.complete || record(false));
  request.on('error', () => {});
});
let seen = 0;
// An upload that breaks off is an error too, but not of what was sent; and Node has a list of methods.
behind.on('clientError', (error, socket) => {
  const sent = error.rawPacket?.toString('latin1') ?? '';
  const isKnown = http.METHODS.includes(sent.split(' ')[0]) || error.code !== 'HPE_INVALID_METHOD';
  if (isKnown && !socket.isAwaited) tell({ clientError: error.code, sent });
  socket.destroy();
});

const direct = http.createServer(patient, (request, response) => {
  request.socket.requests.push(`${request.method} ${request.url}`);
  request.resume().on('error', () => {});
  response.end('seen');
});
direct.on('connection', (socket) => {
  socket.requests = [];
  const port = socket.remotePort;
  socket.on('close', () => tell({ direct: port, requests: socket.requests, error: socket.refused }));
});
direct.on('clientError', (error, socket) => {
  socket.refused = error.code;
  socket.destroy();
});

for (const server of [behind, direct]) {
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
}
tell({ behind: behind.address().port, direct: direct.address().port });
process.stdin.resume().on('end', () => process.exit());
