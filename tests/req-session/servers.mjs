// Servers under test: each a process with the package preloaded, on a free port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const FOLDER = path.dirname(fileURLToPath(import.meta.url))
export const PACKAGE = path.join(FOLDER, '../../packages/req-session')
export const TOKEN = 'a token of the tests'

const START_LIMIT = 60_000

/** Ports are asked of the system. */
async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Runs `node --require PACKAGE ...commandline(port)` until `stop`; `node` is the program, and what
 * the server says is in `said`.
 */
export async function start ({ node = process.execPath, folder, commandline, env = {} }) {
  const port = await freePort()
  const child = spawn(node, ['--require', PACKAGE, ...commandline(port)], {
    cwd: folder,
    env: { ...process.env, NEXTBNB_TOKEN: TOKEN, NEXT_TELEMETRY_DISABLED: '1', PORT: port, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const server = { said: '', origin: `http://127.0.0.1:${port}`, stop: () => stop(child) }
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', piece => { server.said += piece })
  }
  await answering(server, child)
  return server
}

async function answering (server, child) {
  const until = Date.now() + START_LIMIT
  for (;;) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`no server: ${server.said}`)
    const answer = await fetch(server.origin + '/not-there').catch(() => undefined)
    if (answer !== undefined) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Ends the whole group: `next` has children. */
async function stop (child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  process.kill(-child.pid, 'SIGKILL')
  await ended
}

/** What the gateway sends for `session`. */
export function headersFor (session, token = TOKEN) {
  const told = encodeURIComponent(JSON.stringify(session))
  return { 'X-Nextbnb-Token': token, 'X-Nextbnb-Session': told }
}
