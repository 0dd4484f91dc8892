export function GET() {
  return new Response('with cookies');
}
