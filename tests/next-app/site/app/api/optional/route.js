export function GET() {
  return new Response('a body', { headers: { 'x-length': '6' } });
}

export function OPTIONS() {
  return new Response(null, { status: 204, headers: { Allow: 'GET, OPTIONS', 'x-preflight': 'yes' } });
}
