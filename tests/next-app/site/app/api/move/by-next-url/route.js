import { NextResponse } from 'next/server';

export function GET(request) {
  const url = request.nextUrl.clone();
  url.pathname = '/plain';
  url.search = '?by=next-url';
  return NextResponse.redirect(url, 308);
}
