export function register() {
  globalThis.registered = true;
}
