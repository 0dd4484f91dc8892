// A stream that goes on when it is told to, so that what came before must have arrived.
const waiting = (globalThis.waiting ??= new Map());

export function GET(request) {
  const key = request.nextUrl.searchParams.get('key');
  const encoder = new TextEncoder();
  const type = request.nextUrl.searchParams.get('type') ?? 'text/plain';
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode('data: first\n\n'));
      await new Promise((resolve) => waiting.set(key, resolve));
      controller.enqueue(encoder.encode('data: last\n\n'));
      controller.close();
    },
    cancel() {
      waiting.set(key, 'cancelled');
    },
  });
  return new Response(stream, { headers: { 'Content-Type': type, 'Cache-Control': 'no-cache' } });
}

/** Lets a stream go on, unless somebody only looks; tells what became of it where it has ended. */
export function POST(request) {
  const { searchParams } = request.nextUrl;
  const resume = waiting.get(searchParams.get('key'));
  if (typeof resume === 'function' && !searchParams.has('look')) resume();
  return Response.json({ found: typeof resume === 'function', resume });
}
