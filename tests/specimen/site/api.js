// Where a page finds the API: from the browser beside itself, while it renders where the visitor
// came to.
export default function api (req, path) {
  if (!req) return path
  const host = req.headers['x-forwarded-host'] || req.headers.host
  const proto = req.headers['x-forwarded-proto'] || 'http'
  return `${proto}://${host}${path}`
}
