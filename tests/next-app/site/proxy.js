import { NextResponse } from 'next/server';

const ANSWERS = {
  '/proxy/redirect': (request) => NextResponse.redirect(new URL('/plain?by=proxy', request.url)),
  '/proxy/redirect-303': (request) => NextResponse.redirect(new URL('/plain', request.url), 303),
  '/proxy/redirect-clone': (request) => {
    const url = request.nextUrl.clone();
    url.pathname = '/plain';
    return NextResponse.redirect(url);
  },
  '/proxy/redirect-away': () => NextResponse.redirect('https://elsewhere.example/path?x=1'),
  '/proxy/rewrite': (request) => NextResponse.rewrite(new URL('/api/echo/rewritten', request.url)),
  '/proxy/rewrite-page': (request) => NextResponse.rewrite(new URL('/plain', request.url)),
  '/proxy/answer': () =>
    new NextResponse('answered by the proxy', { status: 418, headers: { 'x-answer': 'tea' } }),
  '/proxy/json': (request) =>
    NextResponse.json({ user: request.headers.get('x-forwarded-user'), path: request.nextUrl.pathname }),
  '/proxy/cookie': () => {
    const response = NextResponse.next();
    response.cookies.set('one', '1', { path: '/' });
    response.cookies.set('two', '2', { path: '/', httpOnly: true, sameSite: 'lax' });
    return response;
  },
  '/proxy/headers': (request) => {
    const headers = new Headers(request.headers);
    headers.set('x-from-proxy', 'told');
    return NextResponse.next({ request: { headers }, headers: { 'x-proxied': 'yes' } });
  },
};

export function proxy(request) {
  return ANSWERS[request.nextUrl.pathname]?.(request) ?? NextResponse.next();
}

export const config = { matcher: '/proxy/:path*' };
