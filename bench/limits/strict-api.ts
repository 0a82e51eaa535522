/** An API that takes so many calls (first argument) in any second, and answers 429 to all others. It tells its address on stdout, and ends with its stdin. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const rate = Number(process.argv[2])
const answerMs = 5
const periodMs = 1_000

/** Instants of calls of the last second that were let in. */
let window: number[] = []
let counts = { admitted: 0, rejected: 0 }

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    // Whoever asks begins a new count.
    response.end(JSON.stringify(counts))
    counts = { admitted: 0, rejected: 0 }
    return
  }
  const now = performance.now()
  window = window.filter((at) => at > now - periodMs)
  const isOver = window.length >= rate
  if (isOver) counts.rejected++
  else {
    counts.admitted++
    window.push(now)
  }
  request.resume()
  request.on('end', () => setTimeout(() => response.writeHead(isOver ? 429 : 204).end(), answerMs))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`)
})
process.stdin.on('end', () => process.exit(0)).resume()
