import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Config } from '../config.ts'
import type { Connection } from '../connection.ts'
import { changeEntry, entriesIn, lastEntry } from '../entries.ts'
import { openPublisher } from '../publish/publisher.ts'
import { openCells } from './cells.ts'
import type { Cells } from './cells.ts'
import { openServerClock } from './clock.ts'
import type { ServerClock } from './clock.ts'
import { limitedKey, supersedes } from './told.ts'
import type { Limited, LimitKey } from './told.ts'

/** What bridges share of limits. */
export interface LimitQueues {
  readonly cells: Cells
  openClock(): Promise<ServerClock>
  /**
   * Tells all bridges that a service asked to wait, and whoever comes later; resolves when it is known, or the signal aborts. Those that are there
   * are told before it is kept, since that takes its time. What ends before what is kept changes nothing.
   */
  tell(id: string, limited: Limited, signal: AbortSignal): Promise<void>
  /** What others tell; what is kept comes as a change of the configuration. Returns the way to stop listening. */
  onTold(listener: (id: string, limited: Limited) => void): () => void
  /** Tells all bridges to look at a key's calls in flight again. Never waits, never fails. */
  poke(poke: Poke): void
  /** Of this bridge itself, too. Returns the way to stop listening. */
  onPoke(listener: (poke: Poke) => void): () => void
  /** Whatever asked to wait in the last day, by id. */
  limited(): Promise<Map<string, Limited>>
  /** Ends the pauses of these keys for all bridges, now; resolves with those that were not over. */
  lift(isMeant: (key: LimitKey) => boolean): Promise<Limited[]>
  /** Takes those away that ended before this time, in milliseconds of the epoch; resolves with how many. */
  forget(before: number): Promise<number>
  close(): void
}

/** Calls in flight of the key `id` changed hands. */
export interface Poke {
  readonly id: string
  /** The bridge that says so. */
  readonly from: string
}

interface Told {
  readonly id: string
  readonly limited: Limited
}

const retryMs = 200
/** This machine's and that of the NATS server: rather a wait that is over already is ended than one that goes on is left. */
const clocksDifferMs = 5_000
/** Who waits for permits goes on alone then. */
const writeTimeoutMs = 1_000

export function openLimitQueues(connection: Connection, config: Config, log: Log): LimitQueues {
  const [subject, toldSubject] = [`${config.limitsName}.poke`, `${config.limitsName}.told`]
  const limited = (): Promise<Map<string, Limited>> => limitedIn(connection, config)
  const publisher = openPublisher(connection, writeTimeoutMs)
  return {
    cells: openCells(connection, publisher, config.limitsName),
    openClock: () => openServerClock(connection, config, log),
    async tell(id, one, signal) {
      if (connection.connected) connection.nc.publish(toldSubject, JSON.stringify({ id, limited: one } satisfies Told))
      while (!signal.aborted) {
        try {
          return await keepLonger(connection, config, id, one)
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
    poke(poke) {
      if (connection.connected) connection.nc.publish(subject, JSON.stringify(poke))
    },
    onPoke(listener) {
      const subscription = connection.nc.subscribe(subject, {
        callback: (error, message) => void (error === null && listener(message.json<Poke>())),
      })
      return () => subscription.unsubscribe()
    },
    limited,
    async lift(isMeant) {
      const from = Date.now() - clocksDifferMs
      const isPaused = ({ until, lifted }: Limited): boolean => lifted !== true && Date.parse(until) > from
      const paused = [...(await limited())].filter(([, one]) => isMeant(one.key) && isPaused(one))
      for (const [id] of paused) await liftOne(connection, config, id)
      return paused.map(([, one]) => one)
    },
    async forget(before) {
      const old = [...(await limited())].filter(([, { until }]) => Date.parse(until) < before)
      for (const [id] of old) await forgetOne(connection, config, id, before)
      return old.length
    },
    close: () => publisher.close(),
  }
}

async function limitedIn(connection: Connection, { name }: Config): Promise<Map<string, Limited>> {
  const entries = await entriesIn<Limited>(connection, name, limitedKey('*'))
  return new Map([...entries].map(([key, one]) => [key.slice(limitedKey('').length), one]))
}

/** Of several that bridges were asked for, the pause that ends last is kept, whoever tells it first. */
function keepLonger(connection: Connection, { name, config: bucket }: Config, id: string, one: Limited): Promise<void> {
  return changeEntry(connection, { name, bucket }, limitedKey(id), (before) => {
    const known = before?.json<Limited>()
    if (known?.until === one.until || !supersedes(one, known)) return null
    return JSON.stringify({ ...one, times: Math.max(one.times, known?.times ?? 0) } satisfies Limited)
  })
}

function liftOne(connection: Connection, { name, config: bucket }: Config, id: string): Promise<void> {
  return changeEntry(connection, { name, bucket }, limitedKey(id), (before) => {
    const known = before?.json<Limited>()
    return known === undefined ? null : JSON.stringify({ ...known, until: known.at, lifted: true } satisfies Limited)
  })
}

/** Unless it was asked for anew in between. Bridges forget it by themselves. */
async function forgetOne(connection: Connection, { name }: Config, id: string, before: number): Promise<void> {
  const last = await lastEntry(connection, name, limitedKey(id))
  if (last === null || Date.parse(last.json<Limited>().until) >= before) return
  const filter = `$KV.${name}.${limitedKey(id)}`
  await connection.jsm.streams.purge(`KV_${name}`, { filter, seq: last.seq + 1 })
}
