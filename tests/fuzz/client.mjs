// Node's own client before the gateway: for each number on its input, some requests in turn on one
// connection that says to come from the address of that number. Tells each answer, a line of JSON each.
import http from 'node:http';
import net from 'node:net';
import { createInterface } from 'node:readline';

const [port, turns] = process.argv.slice(2).map(Number);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const [number, address] = line.split(' ');
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.write(`PROXY TCP4 ${address} 127.0.0.1 1 2\r\n`);
    return socket;
  };
  for (let turn = 0; turn < turns; turn += 1) {
    tell({ number: Number(number), turn, ...(await get(agent, `/${number}/${turn}`)) });
  }
  agent.destroy();
}

function get(agent, path) {
  return new Promise((done) => {
    const request = http.get({ agent, path, headers: { host: 'a' } }, (response) => {
      const { statusCode: status, rawHeaders } = response;
      const id = response.headers['x-request-id'];
      const pieces = [];
      const end = (error) =>
        done({ status, id, head: rawHeaders.join('\n'), body: Buffer.concat(pieces).toString('latin1'), error });
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => end());
      response.on('error', (error) => end(error.code));
    });
    request.on('error', (error) => done({ error: error.code }));
  });
}
