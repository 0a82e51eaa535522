import type { Command } from 'commander'
import type { Bridge } from '../bridge/bridge.ts'
import { resolveOptions } from '../options.ts'
import type { Queues } from '../queue/open.ts'
import { createLog } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { addOptions, examples } from './define.ts'
import { listen } from './listen.ts'
import type { Fetch } from './listen.ts'
import { ownBridge, ownQueues, ownServing } from './parts.ts'
import { withStack } from './stack.ts'

const needed = ['natsUrl', 'secretKey'] as const
const stderr = 2

/** Logs are JSON lines on stderr. */
export function define(command: Command): void {
  command.action(async (flags: Record<string, unknown>) => {
    const options = resolveOptions('bridge', { flags }, needed)
    const log = createLog(options.logLevel, stderr)
    await withStack(log, async (stack) => {
      const { healthPort: port, host } = options
      const chosenBy = '--health-port (SLUICE_HEALTH_PORT)'
      const listening =
        port === undefined
          ? null
          : await stack.own(
              () => listen({ port, host, chosenBy }),
              (it) => it.close(),
            )
      const queues = await ownQueues(stack, options, 'sluice bridge', log)
      const { bridge, metrics } = await ownBridge(stack, queues, options, log)
      if (listening !== null) await ownServing(stack, listening, healthOf(bridge, queues, metrics))
      log.info('bridge works', { bridge: bridge.id, health: listening?.url, pid: process.pid })
      await stack.stopping()
      log.info('bridge stops', { bridge: bridge.id })
    })
    log.info('bridge has stopped', { pid: process.pid })
  })
  examples(addOptions(command, 'bridge'), [
    ['SLUICE_NATS_URL=nats://nats:4222 sluice bridge --health-port 8485', 'as many as you like'],
  ])
}

/** `/healthz`: the process lives; `/readyz`: messages can flow through it, with the workers that it can't call; `/metrics` for Prometheus. */
export function healthOf(bridge: Bridge, queues: Queues, metrics: Metrics): Fetch {
  return async (request) => {
    switch (new URL(request.url).pathname) {
      case '/healthz':
        return Response.json({ status: 'ok' })
      case '/readyz':
        return bridge.ready
          ? Response.json({ status: 'ready', reasons: [], trouble: bridge.troubles() })
          : Response.json({ status: 'not ready', reasons: [reasonOf(queues)] }, { status: 503 })
      case '/metrics':
        return new Response(await metrics.text(), { headers: { 'content-type': metrics.contentType } })
      default:
        return new Response('not found: there are /healthz, /readyz and /metrics\n', { status: 404 })
    }
  }
}

function reasonOf({ connection }: Queues): string {
  return connection.connected ? 'the bridge is stopping' : 'NATS is not connected'
}
