/** A roof over a lit window; the same drawing as `app/icon.svg`. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
      <rect className="logo__tile" width="32" height="32" rx="9" />
      <path className="logo__house" d="M16 6 26 15.2V25a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1v-9.8Z" />
      <path className="logo__window" d="M13 26v-6a3 3 0 0 1 6 0v6Z" />
    </svg>
  );
}
