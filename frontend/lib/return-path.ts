/**
 * Where to go after signing in, taken from a `next` parameter that anybody may have written.
 *
 * Only a path of this site passes; everything else becomes the home page. `//host` and
 * `/\host` lead to other sites, and browsers drop tabs and line breaks before they look.
 */
export function returnPath(next: string | string[] | undefined): string {
  if (typeof next !== 'string') return '/';
  if (!/^\/(?![/\\])[^\u0000-\u001f\u007f]*$/.test(next)) return '/';
  const { host, pathname } = new URL(next, 'http://here.invalid');
  // Looked at again as a browser reads it, which turns `/.//host` into `//host`.
  return host === 'here.invalid' && !pathname.startsWith('//') ? next : '/';
}

/** The address of an account page that leads back to `next`. */
export function accountPath(page: 'sign-in' | 'register', next: string): string {
  return next === '/' ? `/${page}` : `/${page}?next=${encodeURIComponent(next)}`;
}
