/**
 * A process that serves a worker file (its default export, a fetch handler) on a free port of loopback, for
 * `sluice dev --worker`. Prints one line with its URL; ends on SIGTERM, or when its stdin ends: then the engine is gone.
 */
import { pathToFileURL } from 'node:url'
import { textOf } from '../../errors.ts'
import { listen } from '../listen.ts'
import type { Fetch } from '../listen.ts'
import { servingPrefix } from './worker-file.ts'

const [file = ''] = process.argv.slice(2)

async function serve(): Promise<void> {
  const { default: handler } = (await import(pathToFileURL(file).href)) as { default?: { fetch?: unknown } }
  if (typeof handler?.fetch !== 'function')
    throw new Error(`${file} has no worker as its default export: export default worker({ name: '…' })`)
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'another port' })
  const { fetch } = handler as { fetch: Fetch }
  listening.serve((request) => fetch.call(handler, request))
  const end = () => void listening.close().then(() => process.exit(0))
  process.once('SIGTERM', end)
  process.stdin.resume().once('end', end)
  process.stdout.write(`${servingPrefix}${listening.url}\n`)
}

serve().catch((error: unknown) => {
  process.stderr.write(`${textOf(error)}\n`)
  process.exit(1)
})
