import { isDeepStrictEqual } from 'node:util'
import { request } from 'undici'
import { Conflict, LostRace, Unavailable, textOf } from '../../errors.ts'
import { lockWorker, saveManifest } from '../../store/queries/workers.ts'
import type { Worker } from '../../store/queries/workers.ts'
import { storableJson } from '../../store/text.ts'
import { ofWorker } from '../access/targets.ts'
import { isDeep, utf8 } from '../body.ts'
import type { Changing } from '../deps.ts'
import { invalidInput } from '../problem.ts'
import { manifestSchema } from '../../protocol/manifest.ts'

const timeoutMs = 2_000
const manifestMaxBytes = 1024 * 1024
const manifestPath = '/.well-known/sluice-worker'

type Deps = Pick<Changing, 'store' | 'audit' | 'events'>

/**
 * Reads what a worker says of itself from the first of its instances that answers, keeps it, and tells who watches. Redirects are never
 * followed. Throws `Conflict` when none answers, with what each of them did instead, and `LostRace` when the worker isn't at `ifVersion`
 * (null: whatever it is at).
 */
export async function refreshManifest(deps: Deps, worker: Worker, ifVersion: number | null): Promise<Worker> {
  if (ifVersion !== null) await deps.store.transaction((inside) => lockWorker(inside, worker.name, ifVersion))
  const failures: string[] = []
  for (const url of worker.urls) {
    try {
      const kept = await keep(deps, worker.name, await readManifest(url), ifVersion)
      deps.events.emit({ kind: 'worker', name: worker.name, removed: false })
      return kept
    } catch (error) {
      if (error instanceof Unavailable || error instanceof LostRace) throw error
      failures.push(`${url}: ${textOf(error)}`)
    }
  }
  throw new Conflict(`no instance of "${worker.name}" gave its manifest: ${failures.join('; ')}`)
}

/** A manifest that says what it said before is no change. */
async function keep(
  { store, audit }: Omit<Deps, 'events'>,
  name: string,
  manifest: Record<string, unknown>,
  ifVersion: number | null,
): Promise<Worker> {
  return store.transaction(async (inside) => {
    const before = await lockWorker(inside, name, ifVersion)
    const after = await saveManifest(inside, name, manifest)
    const isSame = isDeepStrictEqual(before.manifest, after.manifest)
    if (!isSame) await audit(inside, ofWorker(before, after))
    return after
  })
}

async function readManifest(base: string): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(timeoutMs)
  const reply = await request(`${base.replace(/\/+$/, '')}${manifestPath}`, {
    signal,
    headers: { accept: 'application/json' },
  })
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the loop early closes the connection, so a body without an end costs no more than this.
  for await (const chunk of reply.body as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > manifestMaxBytes) throw new Error(`its manifest is larger than ${manifestMaxBytes} bytes`)
    chunks.push(chunk)
  }
  if (reply.statusCode !== 200) throw new Error(`status ${reply.statusCode}`)
  const text = utf8(Buffer.concat(chunks))
  if (text === null || isDeep(text)) throw new Error('its manifest is not UTF-8, or nested too deep')
  const parsed = manifestSchema.safeParse(JSON.parse(text))
  if (!parsed.success) throw invalidInput('its manifest', parsed.error)
  return JSON.parse(storableJson(parsed.data)) as Record<string, unknown>
}
