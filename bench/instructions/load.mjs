// Exactly so many requests of a browser, over so many kept connections:
//
//   node load.mjs http://127.0.0.1:3000 REQUESTS CONNECTIONS [COOKIE]
import { connect } from 'node:net';

const [, , url, requests, connections, cookie] = process.argv;
const { hostname, port, host } = new URL(url);
const request = [
  'GET /trips HTTP/1.1',
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

let left = Number(requests);
const serve = () =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port, noDelay: true });
    let read = '';
    const ask = () => {
      if (left === 0) return socket.end(resolve);
      left -= 1;
      socket.write(request);
    };
    socket.on('connect', ask);
    socket.on('error', reject);
    socket.on('data', (bytes) => {
      read += bytes.toString('latin1');
      const head = read.indexOf('\r\n\r\n');
      if (head < 0) return;
      if (!read.startsWith('HTTP/1.1 200')) reject(new Error(read));
      const length = Number(/content-length: (\d+)/i.exec(read)[1]);
      if (read.length < head + 4 + length) return;
      read = '';
      ask();
    });
  });
await Promise.all(Array.from({ length: Number(connections) }, serve));
