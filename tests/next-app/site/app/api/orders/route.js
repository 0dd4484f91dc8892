import { appendFileSync } from 'node:fs';

// Written down before the answer, so that even a killed server has counted what it did.
export async function POST(request) {
  const bytes = (await request.arrayBuffer()).byteLength;
  appendFileSync(process.env.ORDERS_FILE, `${request.nextUrl.searchParams.get('id')}\n`);
  return Response.json({ bytes });
}

export function GET(request) {
  return Response.json({ id: request.nextUrl.searchParams.get('id') });
}
