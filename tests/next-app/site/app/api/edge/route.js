export const runtime = 'edge';

export function GET(request) {
  return Response.json({ runtime: typeof EdgeRuntime, path: new URL(request.url).pathname });
}

export async function POST(request) {
  return new Response((await request.text()).toUpperCase());
}
