import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('.', import.meta.url));

/** @type {import('next').NextConfig} */
export default {
  // Without these two Next looks for lock files above this folder.
  turbopack: { root },
  outputFileTracingRoot: root,
  agentRules: false,
  experimental: { authInterrupts: true },
  images: {
    remotePatterns: [{ protocol: 'http', hostname: '127.0.0.1', pathname: '/picture.png' }],
    // The remote picture of the checks is on this machine.
    dangerouslyAllowLocalIP: true,
  },
  async redirects() {
    return [
      { source: '/config/temporary/:path*', destination: '/plain?was=:path*', permanent: false },
      { source: '/config/permanent', destination: '/plain', permanent: true },
      {
        source: '/config/by-cookie',
        has: [{ type: 'cookie', key: 'theme', value: 'dark' }],
        destination: '/plain?theme=dark',
        permanent: false,
      },
      {
        source: '/config/by-host',
        has: [{ type: 'host', value: 'shop.example' }],
        destination: '/plain?host=shop',
        permanent: false,
      },
    ];
  },
  async rewrites() {
    return [
      { source: '/config/rewrite/:path*', destination: '/api/echo/:path*' },
      { source: '/config/shown-elsewhere', destination: '/plain' },
    ];
  },
  async headers() {
    return [
      {
        source: '/plain',
        headers: [
          { key: 'x-site', value: 'next-app' },
          { key: 'Content-Security-Policy', value: "frame-ancestors 'none'" },
        ],
      },
    ];
  },
};
