import { createHash } from 'node:crypto';

// What the gateway adds or changes on purpose is compared elsewhere.
const SHOWN = /^(accept|content-type|content-encoding|cookie|if-|range|user-agent|x-custom|authorization|x-from-proxy)/;

async function echo(request) {
  const body = Buffer.from(await request.arrayBuffer());
  const { pathname, search } = request.nextUrl;
  const headers = [...request.headers].filter(([name]) => SHOWN.test(name));
  return Response.json({
    method: request.method,
    path: pathname + search,
    headers,
    bytes: body.length,
    digest: createHash('sha256').update(body).digest('hex'),
  });
}

export {
  echo as GET, echo as POST, echo as PUT, echo as PATCH, echo as DELETE,
};
