export function GET() {
  return Response.json({ registered: globalThis.registered === true });
}
