import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { Accepted } from '../../../client/openapi.d.ts'
import { statusOf } from '../../../client/problem.ts'
import { Invalid, Unavailable, textOf } from '../../../errors.ts'
import { grouped } from '../../terminal/print.ts'
import { openSent, sizeOf } from './sent.ts'
import type { Sent } from './sent.ts'

/** A body of any size that is to be split into records. */
export interface Upload {
  readonly topology: string
  readonly node: string
  /** A path, or `-` for stdin. */
  readonly file: string
  readonly contentType: string
  readonly key: string
  readonly query: ReturnType<typeof queryOf>
}

interface Saying {
  readonly tenant?: string | undefined
  readonly force?: boolean | undefined
  readonly reconcile?: boolean | undefined
}

/** What a start says whose body isn't JSON. */
export function queryOf({ tenant, force, reconcile }: Saying) {
  const yes = 'true' as const
  return { ...(tenant && { tenant }), ...(force && { force: yes }), ...(reconcile && { reconcile: yes }) }
}

/** Longest time that a timer takes: queues that are full hold an upload back for as long as they are. */
export const uploadTimeoutMs = 2 ** 31 - 1

const types: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  json: 'application/json',
  jsonl: 'application/x-ndjson',
  ndjson: 'application/x-ndjson',
}

/** Of what the flags name. Throws `Invalid` before an engine is looked for. */
export function uploadOf(
  topology: string,
  node: string | undefined,
  flags: { data?: string; contentType?: string; key?: string; split?: string } & Saying,
): Upload {
  const { data = '', contentType, key = randomUUID(), split } = flags
  if (split !== 'records') throw new Invalid(`--split takes records, not "${split}"`)
  if (node === undefined) throw new Invalid('--split needs the start node: sluice run TOPOLOGY NODE')
  if (data !== '-' && !data.startsWith('@'))
    throw new Invalid('--split needs a file or stdin: --data @FILE, or --data -')
  const file = data === '-' ? data : data.slice(1)
  const type = contentType ?? types[/\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? '']
  if (type === undefined)
    throw new Invalid(`--content-type has to say what ${file} is: ${[...new Set(Object.values(types))].join(', ')}`)
  if (file !== '-') sizeOf(file)
  return { topology, node, file, contentType: type, key, query: queryOf(flags) }
}

/** Sends it, and again as often as the connection breaks and somewhat more comes in between: the engine takes it up where it was. */
export async function sendUpload(engine: Engine, upload: Upload): Promise<Accepted> {
  const progress = openSent(upload.file)
  for (let failures = 0; ; failures++) {
    try {
      return await send(engine, upload, progress)
    } catch (error) {
      if (upload.file === '-' || failures === retries.most || !isPassing(error)) throw resumable(error, upload)
      await delay(retries.baseMs * 2 ** failures)
    } finally {
      progress.end()
    }
  }
}

const retries = { most: 5, baseMs: 500 } as const

function isPassing(error: unknown): boolean {
  return error instanceof Unavailable && [null, 408, 429, 503].includes(statusOf(error))
}

/** The same, with how to go on. */
function resumable(error: unknown, { key }: Upload): unknown {
  if (!isPassing(error)) return error
  return new Unavailable('engine', `${textOf(error)}; go on with the same command and --key ${key}`, { cause: error })
}

async function send(engine: Engine, upload: Upload, sent: Sent): Promise<Accepted> {
  const { topology, node, file, contentType, key, query } = upload
  const source = file === '-' ? process.stdin : createReadStream(file)
  const body = Readable.toWeb(Readable.from(sent.counting(source), { objectMode: false }))
  try {
    return await dataOf(
      engine.POST('/start/{topology}/{node}', {
        params: {
          path: { topology, node },
          query: { split: 'records', ...query },
          header: { 'idempotency-key': key },
        },
        headers: { 'content-type': contentType },
        body,
        bodySerializer: () => body,
        duplex: 'half',
      }),
    )
  } finally {
    if (file !== '-') source.destroy()
  }
}

/** What became of it, for people. */
export function takenText({ records = 0, trashed = 0 }: Accepted): string {
  const rest = trashed === 0 ? '' : `, ${grouped(trashed)} that ${trashed === 1 ? 'is' : 'are'} none in Trash`
  return `${grouped(records)} ${records === 1 ? 'record' : 'records'}${rest}`
}
