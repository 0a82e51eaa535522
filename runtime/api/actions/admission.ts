import { setTimeout as wait } from 'node:timers/promises'
import type { Backlog, Storage } from '../../queue/control.ts'
import { HttpProblem } from '../problem.ts'

/**
 * Decides whether starts are accepted, before anything of them is stored: what is accepted is never dropped (I7), so what can't be
 * kept has to be refused. Of figures that are a second old at most, plus what this control has accepted since; older ones while NATS
 * doesn't tell, as when a cluster elects: then the publish itself is refused where there is no room.
 */
export interface Admission {
  /**
   * Resolves when a start with a body of so many bytes may be stored. Throws `HttpProblem`: 429 over a limit of the topology, 503
   * with the storage nearly full.
   */
  admit(topology: { readonly id: string; readonly name: string }, bytes: number): Promise<void>
  /**
   * Lets in a body that is split into records while it comes in, until its end is told by what this answers: each takes memory and a
   * connection, for as long as its sender likes. Throws `HttpProblem` (429) while as many come in already as may.
   */
  beginUpload(): () => void
}

export interface AdmissionOptions {
  readonly queues: {
    backlog(topologyId: string): Promise<Backlog>
    storage(): Promise<Storage>
  }
  readonly maxMessages: number
  readonly maxBytes: number
  /** Bodies that are split into records at once. */
  readonly maxUploads: number
  /** What NATS may store in all; undefined: the limit of its account. */
  readonly maxStoreBytes: number | undefined
  /** Of the disk that NATS stores on, where it is ours; null: it isn't. */
  readonly disk: (() => Promise<{ readonly usedBytes: number; readonly limitBytes: number }>) | null
}

const freshMs = 1_000
/** What is accepted needs room to be finished: each hop stores a message before it lets go of the one before. */
const fullAt = 0.95
/** A large disk is not full with five percent of it free. */
const diskRoom = 1024 ** 3
const retryAfter = { topology: '5', storage: '30', upload: '5' } as const

export function openAdmission(options: AdmissionOptions): Admission {
  const beginUpload = openPlaces(options.maxUploads)
  const backlogs = new Map<string, Fresh<Counted>>()
  const storage = fresh(() => fullStorage(options), null)
  const backlogOf = (topologyId: string): Fresh<Counted> => {
    const read = async (): Promise<Counted> => ({ ...(await options.queues.backlog(topologyId)) })
    const known = backlogs.get(topologyId) ?? fresh(read, { messages: 0, bytes: 0 })
    backlogs.set(topologyId, known)
    return known
  }
  return {
    async admit({ id, name }, bytes) {
      const [full, backlog] = await Promise.all([storage(), backlogOf(id)()])
      if (full !== null) throw new HttpProblem(503, full, { 'retry-after': retryAfter.storage })
      const over = overLimit(backlog, options)
      if (over !== null) {
        const detail = `the topology "${name}" ${over}; starts are accepted again when some of it is done and its history is compacted`
        throw new HttpProblem(429, detail, { 'retry-after': retryAfter.topology })
      }
      backlog.messages++
      backlog.bytes += bytes
    },
    beginUpload,
  }
}

function openPlaces(max: number): () => () => void {
  const taken = new Set<symbol>()
  return () => {
    if (taken.size >= max) {
      const detail = `this control splits ${taken.size} bodies into records already, of at most ${max} at once (--max-uploads, SLUICE_MAX_UPLOADS)`
      throw new HttpProblem(429, detail, { 'retry-after': retryAfter.upload })
    }
    const place = Symbol('upload')
    taken.add(place)
    return () => void taken.delete(place)
  }
}

/** A backlog, and what has been accepted since it was read. */
type Counted = { -readonly [K in keyof Backlog]: Backlog[K] }

function overLimit({ messages, bytes }: Backlog, { maxMessages, maxBytes }: AdmissionOptions): string | null {
  if (messages >= maxMessages)
    return `has ${messages} unfinished messages, of at most ${maxMessages} (--max-messages, SLUICE_MAX_MESSAGES)`
  if (bytes >= maxBytes)
    return `takes ${bytes} bytes in its queues, of at most ${maxBytes} (--max-bytes, SLUICE_MAX_BYTES)`
  return null
}

/** Why nothing more should be accepted; null while there is room. */
async function fullStorage({ queues, disk, maxStoreBytes }: AdmissionOptions): Promise<string | null> {
  const [stored, onDisk] = await Promise.all([queues.storage(), disk?.()])
  const limitBytes = maxStoreBytes ?? stored.limitBytes
  if (limitBytes !== null && stored.usedBytes >= limitBytes * fullAt)
    return `the storage of NATS is nearly full: ${stored.usedBytes} of ${limitBytes} bytes are taken; give it more, or let what is queued be finished`
  if (
    onDisk !== undefined &&
    onDisk.usedBytes >= onDisk.limitBytes - Math.min(onDisk.limitBytes * (1 - fullAt), diskRoom)
  )
    return `the disk of the data folder is nearly full: ${onDisk.usedBytes} of ${onDisk.limitBytes} bytes are taken; make space on it`
  return null
}

type Fresh<T> = () => Promise<T>

/** Reads anew when the last reading began over a second ago, and takes the one before it when that fails or lasts for over a second. */
function fresh<T>(read: () => Promise<T>, first: T): Fresh<T> {
  let known = first
  let reading: Promise<unknown> | null = null
  let at = -Infinity
  const begin = async (): Promise<void> => {
    known = await read()
  }
  return async () => {
    if (reading === null && performance.now() - at > freshMs) {
      at = performance.now()
      const next = begin()
        .catch(() => undefined)
        .finally(() => (reading = null))
      reading = Promise.race([next, wait(freshMs, null, { ref: false })])
    }
    await reading
    return known
  }
}
