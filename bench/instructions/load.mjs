// Exactly so many requests of browsers, over so many kept connections:
//
//   node load.mjs http://127.0.0.1:3000/trips REQUESTS CONNECTIONS [COOKIES]
//
// First 1,000 others, so that everything is warm; then it says so and waits for a line, so that only
// what follows is counted, and once more when all are answered.
//
// COOKIES is a file of session cookies, one a line, sent in turn. Each connection begins with a header
// of the PROXY protocol that names a client of its own, which the gateway's limits hold for as for
// any other; they hold nobody on its own machine.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

const [, , url, requests, connections, file] = process.argv;
const { hostname, port, host, pathname } = new URL(url);
const cookies = file ? readFileSync(file, 'latin1').trim().split('\n') : [];
const request = (cookie) =>
  [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: keep-alive',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Upgrade-Insecure-Requests: 1',
    'Sec-Fetch-Dest: document',
    'Sec-Fetch-Mode: navigate',
    'Sec-Fetch-Site: same-origin',
    ...(cookie ? [`Cookie: theme=dark; ${cookie}`] : []),
    '',
    '',
  ].join('\r\n');
const kinds = cookies.length > 0 ? cookies.map(request) : [request()];

const WARM_UP = 1000;

/** How many may still be sent. */
let left = 0;
let turn = 0;

class Browser {
  constructor(number) {
    this.socket = connect({ host: hostname, port, noDelay: true });
    this.socket.write(`PROXY TCP4 203.0.113.${number + 1} 127.0.0.1 50000 ${port}\r\n`);
    this.read = '';
    this.socket.on('data', (bytes) => this.take(bytes.toString('latin1')));
    this.socket.on('error', (error) => this.reject(error));
    this.socket.on('close', () => this.reject(new Error('the gateway closed a connection')));
  }

  /** Asks again and again until nothing is left to ask. */
  run() {
    return new Promise((resolve, reject) => {
      Object.assign(this, { resolve, reject });
      this.ask();
    });
  }

  ask() {
    if (left === 0) return this.resolve();
    left -= 1;
    this.socket.write(kinds[turn++ % kinds.length]);
  }

  take(text) {
    this.read += text;
    const head = this.read.indexOf('\r\n\r\n');
    if (head < 0) return;
    if (!this.read.startsWith('HTTP/1.1 200')) return this.reject(new Error(this.read));
    const length = Number(/content-length: (\d+)/i.exec(this.read)[1]);
    if (this.read.length < head + 4 + length) return;
    this.read = '';
    this.ask();
  }
}

const browsers = Array.from({ length: Number(connections) }, (_, number) => new Browser(number));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
for (const [count, said] of [[WARM_UP, 'warm'], [Number(requests), 'done']]) {
  left = count;
  await Promise.all(browsers.map((browser) => browser.run()));
  console.log(said);
  await lines.next();
}
process.exit();
