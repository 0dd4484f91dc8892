export function POST(request) {
  const location = new URL('/item/3', request.url).href;
  return new Response(null, { status: 201, headers: { Location: location, 'Content-Location': location } });
}
