import { after } from 'next/server';

export function GET(request) {
  if (request.nextUrl.searchParams.has('ask')) return Response.json(globalThis.done ?? 0);
  after(() => {
    globalThis.done = (globalThis.done ?? 0) + 1;
  });
  return new Response('done afterwards');
}
