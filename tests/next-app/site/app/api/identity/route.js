const NAMES = ['x-forwarded-user', 'x-forwarded-email', 'x-forwarded-host', 'x-forwarded-proto'];

export function GET(request) {
  return Response.json(Object.fromEntries(NAMES.map((name) => [name, request.headers.get(name)])));
}
