'use client';

/** Shown when a page fails; what failed is in the server's log under the same digest. */
export default function ErrorPage({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <div className="prose" role="alert">
      <h1>Something fell off the roof</h1>
      <p>This page could not be made. It is our fault, not yours.</p>
      {error.digest && <p>Reference: {error.digest}</p>}
      <button className="button" type="button" onClick={reset}>
        Try again
      </button>
    </div>
  );
}
