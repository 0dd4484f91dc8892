import type { NextConfig } from 'next';

const config: NextConfig = {
  // A folder with its own server and only the packages it uses: what an image needs.
  output: 'standalone',

  // Without these two Next looks for lock files above this folder, and may take the
  // whole repository for its project.
  turbopack: { root: __dirname },
  outputFileTracingRoot: __dirname,

  // Trips are written by visitors; they never belong into a build.
  outputFileTracingExcludes: { '*': ['.data/**'] },

  // `next dev` then adds no files of its own beside the code.
  agentRules: false,

  poweredByHeader: false,
  reactStrictMode: true,
};

export default config;
