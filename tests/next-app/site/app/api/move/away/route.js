export function GET() {
  return Response.redirect('https://elsewhere.example:8443/path?x=1#y');
}
