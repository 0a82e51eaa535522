import { JetStreamApiError } from '@nats-io/jetstream'
import type { StreamInfo } from '@nats-io/jetstream'
import { Invalid } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'

/** How many copies of each stream a cluster is to keep, and where it is told when there are more than before. */
export interface Copies {
  readonly replicas: number
  readonly log: Log
}

/**
 * Gives a stream that is there as many copies as are wanted; more than that stay, since who lowers their number gives up what they
 * promise. Its consumers follow. Safe from several processes: each asks for the same.
 */
export async function raiseCopies({ jsm }: Pick<Connection, 'jsm'>, stream: StreamInfo, copies: Copies): Promise<void> {
  const { name, num_replicas: before } = stream.config
  if (before >= copies.replicas) return
  await jsm.streams.update(name, { num_replicas: copies.replicas })
  copies.log.info('a stream gets more copies', { stream: name, before, now: copies.replicas })
}

const notACluster = 10074

/** For `.catch`: what a single server says to `--replicas 3` becomes what to do. */
export function explainCopies(replicas: number): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof JetStreamApiError) || error.code !== notACluster) throw error
    throw new Invalid(
      `--replicas (SLUICE_REPLICAS) is ${replicas}, but NATS is a single server, which keeps one copy: leave it out, or name a cluster of ${replicas} servers`,
      [],
      { cause: error },
    )
  }
}

/** The engine's streams with fewer copies than are wanted, by name. Reads all streams of the account. */
export async function withFewerCopies({ jsm }: Pick<Connection, 'jsm'>, replicas: number): Promise<string[]> {
  const names: string[] = []
  for await (const { config } of jsm.streams.list())
    if (config.num_replicas < replicas && isOurs(config.name)) names.push(`${config.name} (${config.num_replicas})`)
  return names.sort()
}

/** Whatever the namespace. */
const isOurs = (stream: string): boolean =>
  /^(SLUICE_|KV_.+_(config|bridges|intake|watermarks|limits)$)|_events$/.test(stream)
