export function GET(request) {
  let left = Number(request.nextUrl.searchParams.get('bytes'));
  const stream = new ReadableStream({
    pull(controller) {
      const size = Math.min(left, 65536);
      if (size === 0) return controller.close();
      controller.enqueue(new Uint8Array(size).fill(97));
      left -= size;
    },
  });
  return new Response(stream, { headers: { 'Content-Type': 'application/octet-stream' } });
}
