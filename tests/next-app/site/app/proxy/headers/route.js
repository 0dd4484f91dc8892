export function GET(request) {
  return new Response(`the proxy ${request.headers.get('x-from-proxy')}`);
}
