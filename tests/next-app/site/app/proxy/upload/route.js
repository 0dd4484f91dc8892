export async function POST(request) {
  const { byteLength } = await request.arrayBuffer();
  const whole = byteLength === Number(request.headers.get('content-length'));
  return Response.json(whole ? { byteLength } : { cut: true });
}
