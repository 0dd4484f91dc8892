import { NextResponse } from 'next/server';

export function GET(request) {
  return NextResponse.redirect(new URL('/plain?by=url', request.url));
}

export function POST(request) {
  return NextResponse.redirect(new URL('/plain?by=post', request.url), 303);
}
