const EMPTY = [204, 205, 304];

export async function GET(_request, { params }) {
  const status = Number((await params).code);
  return new Response(EMPTY.includes(status) ? null : `status ${status}`, { status });
}
