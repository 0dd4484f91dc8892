export default function manifest() {
  return { name: 'next-app', start_url: '/', display: 'standalone' };
}
