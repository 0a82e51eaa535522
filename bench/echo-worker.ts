/** The worker of the benchmarks: echoes what it gets, and says how often it was called. Prints its URL when it listens; ends when its stdin closes. */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
let calls = 0
app.post('/nodes/:node', async (context) => {
  const body = await context.req.arrayBuffer()
  calls++
  return context.body(body, 200, { 'content-type': 'application/json' })
})
app.get('/calls', (context) => context.text(String(calls)))
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => {
  process.stdout.write(`http://127.0.0.1:${port}\n`)
})
process.stdin.on('end', () => process.exit(0)).resume()
