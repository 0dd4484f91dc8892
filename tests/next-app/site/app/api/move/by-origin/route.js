export function GET(request) {
  return Response.redirect(`${request.nextUrl.origin}/plain?by=origin`, 302);
}
