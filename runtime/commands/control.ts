import type { Command } from 'commander'
import { Unavailable } from '../errors.ts'
import { resolveOptions } from '../options.ts'
import { conditionOf } from '../store/condition.ts'
import { createLog } from '../telemetry/log.ts'
import { addOptions, examples } from './define.ts'
import { listen } from './listen.ts'
import { ownControl, ownQueues, ownServing, ownStore } from './parts.ts'
import { withStack } from './stack.ts'

const needed = ['natsUrl', 'postgresUrl', 'adminToken', 'secretKey'] as const
const stderr = 2
const shortToken = 16

/** Logs are JSON lines on stderr. */
export function define(command: Command): void {
  command.action(async (flags: Record<string, unknown>) => {
    const options = resolveOptions('control', { flags }, needed)
    const log = createLog(options.logLevel, stderr)
    if (options.adminToken.length < shortToken) log.warn('SLUICE_ADMIN_TOKEN is short: a long, random one is safer')
    await withStack(log, async (stack) => {
      const { port, host } = options
      const listening = await stack.own(
        () => listen({ port, host, chosenBy: '--port (SLUICE_PORT)' }),
        (it) => it.close(),
      )
      await requireSchema(options.postgresUrl)
      const store = await ownStore(stack, options.postgresUrl)
      const queues = await ownQueues(stack, options, 'sluice control', log)
      await ownServing(stack, listening, await ownControl(stack, { queues, store }, options, log))
      log.info('control serves', { url: listening.url, pid: process.pid })
      await stack.stopping()
      log.info('control stops')
    })
    log.info('control has stopped', { pid: process.pid })
  })
  examples(addOptions(command, 'control'), [
    [
      'SLUICE_NATS_URL=nats://nats:4222 SLUICE_POSTGRES_URL=postgres://… sluice control --port 8484',
      'the secrets come from the environment, too',
    ],
  ])
}

async function requireSchema(postgresUrl: string): Promise<void> {
  const { pending } = await conditionOf(postgresUrl)
  if (pending.length === 0) return
  throw new Unavailable('postgres', `the database lacks ${pending.join(', ')}: run \`sluice migrate\` first`)
}
