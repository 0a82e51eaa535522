/** What `sluice dev` runs, from the data folder up. */
import { join } from 'node:path'
import { openEngine } from '../../client/engine.ts'
import type { Engine } from '../../client/engine.ts'
import { readDevState, removeDevState, writeDevState } from '../../embedded/folder.ts'
import { startEmbedded } from '../../embedded/index.ts'
import type { Embedded } from '../../embedded/index.ts'
import { Conflict } from '../../errors.ts'
import type { resolveOptions } from '../../options.ts'
import type { Log } from '../../telemetry/log.ts'
import { listen } from '../listen.ts'
import type { Listening } from '../listen.ts'
import type { Stack } from '../stack.ts'
import { keptSecret } from './kept.ts'

export type DevOptions = ReturnType<typeof resolveOptions<'dev'>>

/** The port, and NATS and Postgres; nothing of the engine itself yet. */
export interface Ground {
  /** The data folder, absolute. */
  readonly folder: string
  readonly token: string
  /** Speaks to the engine over HTTP, as everybody does. */
  readonly client: Engine
  readonly listening: Listening
  readonly embedded: Embedded
}

/** Throws `Conflict` when another engine uses the folder, `Unavailable` when the port is in use or a service can't start. */
export async function openGround(stack: Stack, folder: string, options: DevOptions, log: Log): Promise<Ground> {
  const { port, host, natsUrl, postgresUrl, natsServer, cache: cacheDir } = options
  const other = readDevState(folder)
  if (other)
    throw new Conflict(
      `${folder} is used by another engine (pid ${other.pid}, ${other.url}): stop it, or choose another folder with --data (SLUICE_DATA)`,
    )
  const listening = await stack.own(
    () => listen({ port, host, chosenBy: '--port (SLUICE_PORT); 0 takes a free one' }),
    (it) => it.close(),
  )
  const say = (line: string) => {
    console.log(line)
    log.info(line)
  }
  // Loaded while NATS and Postgres start.
  void modules()
  const embedded = await stack.own(
    (signal) => startEmbedded({ dataDir: folder, cacheDir, natsServer, natsUrl, postgresUrl, log: say, signal }),
    (services) => services.stop(),
  )
  const token = keptSecret(folder, 'admin-token', options.adminToken)
  return { folder, token, client: openEngine({ url: listening.url, token }), listening, embedded }
}

/**
 * Opens control and bridge on the ground. `beforeBridge` is waited for before messages can flow: what it opens is closed
 * after the bridge, such as workers that have calls open.
 */
export async function openDevEngine(
  stack: Stack,
  { folder, token, listening, embedded }: Ground,
  options: DevOptions,
  log: Log,
  beforeBridge: Promise<unknown>,
): Promise<void> {
  const secretKey = keptSecret(folder, 'secret-key', options.secretKey)
  const storeFolder = options.natsUrl === undefined ? folder : null
  const settings = { ...options, ...embedded, adminToken: token, secretKey, storeFolder }
  const [{ ownBridge, ownControl, ownQueues, ownServing, ownStore }, { migrate }, { openMetrics }] = await modules()
  const [queues] = await Promise.all([
    ownQueues(stack, settings, 'sluice dev', log),
    migrate(embedded.postgresUrl, (line) => log.info(line)),
  ])
  const store = await ownStore(stack, embedded.postgresUrl)
  const metrics = openMetrics()
  const fetch = await ownControl(stack, { queues, store }, settings, log, metrics)
  await beforeBridge
  await ownBridge(stack, queues, settings, log, metrics)
  await ownServing(stack, listening, fetch)
  const { url } = listening
  const { natsUrl, postgresUrl } = embedded
  await stack.own(
    () => writeDevState(folder, { pid: process.pid, url, token, natsUrl, postgresUrl }),
    () => removeDevState(folder),
  )
}

const modules = () =>
  Promise.all([import('../parts.ts'), import('../../store/migrate.ts'), import('../../telemetry/metrics.ts')])

/** The lines that `sluice dev` greets with. */
export function bootLines({ folder, token, listening }: Ground, options: DevOptions, seconds: number): string[] {
  const kept = options.adminToken === undefined ? `kept in ${join(folder, 'admin-token')}` : 'from SLUICE_ADMIN_TOKEN'
  const durability =
    options.natsUrl === undefined
      ? 'safe when a process dies; a power cut may cost the last two minutes of the queues'
      : 'as the NATS server at SLUICE_NATS_URL is set up'
  return [
    `Sluiceway is ready after ${seconds.toFixed(1)} s`,
    `  console     ${listening.url}/#token=${token}`,
    `  api         ${listening.url}/api/docs`,
    `  token       ${token} (${kept})`,
    `  data        ${folder} (logs in ${join(folder, 'logs')})`,
    `  durability  ${durability}`,
  ]
}
