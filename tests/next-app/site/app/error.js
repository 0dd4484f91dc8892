'use client';

export default function ErrorPage() {
  return <h1>That went wrong</h1>;
}
