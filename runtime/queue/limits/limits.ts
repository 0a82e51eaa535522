import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Config } from '../config.ts'
import type { Connection } from '../connection.ts'
import { entriesIn } from '../entries.ts'
import { openCells } from './cells.ts'
import type { Cells } from './cells.ts'
import { openServerClock } from './clock.ts'
import type { ServerClock } from './clock.ts'
import { limitedKey } from './told.ts'
import type { Limited } from './told.ts'

/** What bridges share of limits. */
export interface LimitQueues {
  readonly cells: Cells
  openClock(): Promise<ServerClock>
  /**
   * Tells all bridges that a service asked to wait, and whoever comes later; resolves when it is known, or the signal aborts. Those that are there
   * are told before it is kept, since that takes its time.
   */
  tell(id: string, limited: Limited, signal: AbortSignal): Promise<void>
  /** What others tell; what is kept comes as a change of the configuration. Returns the way to stop listening. */
  onTold(listener: (id: string, limited: Limited) => void): () => void
  /** Tells all bridges, this one too, to look at a key's calls in flight again. Never waits, never fails. */
  poke(id: string): void
  /** Returns the way to stop listening. */
  onPoke(listener: (id: string) => void): () => void
  /** Whatever asked to wait in the last day, by id. */
  limited(): Promise<Map<string, Limited>>
  /** Takes those away that ended before this time, in milliseconds of the epoch; resolves with how many. */
  forget(before: number): Promise<number>
}

interface Told {
  readonly id: string
  readonly limited: Limited
}

const retryMs = 200

export function openLimitQueues(connection: Connection, config: Config, log: Log): LimitQueues {
  const [subject, toldSubject] = [`${config.limitsName}.poke`, `${config.limitsName}.told`]
  const limited = (): Promise<Map<string, Limited>> => limitedIn(connection, config)
  return {
    cells: openCells(connection, config.limitsName),
    openClock: () => openServerClock(connection, config, log),
    async tell(id, one, signal) {
      if (connection.connected) connection.nc.publish(toldSubject, JSON.stringify({ id, limited: one } satisfies Told))
      while (!signal.aborted) {
        try {
          await config.config.put(limitedKey(id), JSON.stringify(one))
          return
        } catch (error) {
          log.debug('a request to wait could not be told, trying again', { limit: id, error: textOf(error) })
          await wait(retryMs, undefined, { signal }).catch(() => undefined)
        }
      }
    },
    onTold(listener) {
      const subscription = connection.nc.subscribe(toldSubject, {
        callback(error, message) {
          if (error !== null) return
          const { id, limited: one } = message.json<Told>()
          listener(id, one)
        },
      })
      return () => subscription.unsubscribe()
    },
    poke(id) {
      if (connection.connected) connection.nc.publish(subject, id)
    },
    onPoke(listener) {
      const subscription = connection.nc.subscribe(subject, {
        callback: (error, message) => void (error === null && listener(message.string())),
      })
      return () => subscription.unsubscribe()
    },
    limited,
    async forget(before) {
      const old = [...(await limited())].filter(([, { until }]) => Date.parse(until) < before)
      for (const [id] of old) await forgetOne(connection, config, id)
      return old.length
    },
  }
}

async function limitedIn(connection: Connection, { name }: Config): Promise<Map<string, Limited>> {
  const entries = await entriesIn<Limited>(connection, name, limitedKey('*'))
  return new Map([...entries].map(([key, one]) => [key.slice(limitedKey('').length), one]))
}

/** Bridges forget it by themselves. */
async function forgetOne({ jsm }: Connection, { name }: Config, id: string): Promise<void> {
  await jsm.streams.purge(`KV_${name}`, { filter: `$KV.${name}.${limitedKey(id)}` })
}
