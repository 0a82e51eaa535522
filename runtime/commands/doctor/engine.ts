import { dataOf } from '../../client/answer.ts'
import type { Engine } from '../../client/engine.ts'
import type { Status } from '../../client/openapi.d.ts'
import { NotFound, textOf } from '../../errors.ts'
import { findEngine } from '../client/find.ts'
import { version } from '../version.ts'
import type { Finding } from './finding.ts'
import { bridgeFindings, workerFindings } from './trouble.ts'

export async function examineEngine(flags: Readonly<Record<string, unknown>>): Promise<Finding[]> {
  const part = 'engine'
  try {
    const engine = findEngine(flags)
    const status = await dataOf(engine.GET('/api/status'))
    const wrong = faultsOf(status)
    if (wrong.length > 0) return wrong.map((text) => ({ part, state: 'wrong', text: `${engine.url}: ${text}` }))
    const text = `version ${status.version} at ${engine.url}, bridges: ${status.bridges.length}`
    const troubles = bridgeFindings(status.bridges)
    return [{ part, state: 'ok', text }, ...troubles, ...examineTopologies(status), ...(await examineWorkers(engine))]
  } catch (error) {
    const hint = error instanceof NotFound ? ': check --url (SLUICE_URL)' : ''
    return [{ part, state: 'wrong', text: textOf(error) + hint }]
  }
}

function faultsOf({ version: there, nats, postgres, bridges }: Status): string[] {
  const here = version()
  return [
    ...[nats, postgres].flatMap(({ connected, detail }) => (connected ? [] : [detail ?? 'a part is away'])),
    ...(bridges.length === 0 ? ['no bridge is alive: start one with `sluice bridge`'] : []),
    ...(there === here ? [] : [`it has version ${there}, this command line ${here}: use the same of both`]),
  ]
}

/** Queues that are full of what may not be compacted, since a message of somebody isn't settled. */
export function examineTopologies({ topologies, totals }: Pick<Status, 'topologies' | 'totals'>): Finding[] {
  const part = 'queues'
  const full = topologies.flatMap(({ name, history }): Finding[] => {
    if (history?.isFull !== true) return []
    const node = history.heldBack?.node ?? null
    const why = node === null ? '' : `; a message at ${node} holds them back: see \`sluice get nodes ${name}\``
    return [
      { part, state: 'wrong', text: `those of ${name} are over --history-max-bytes (${history.bytes} bytes)${why}` },
    ]
  })
  if (full.length > 0) return full
  if (totals === null) return []
  const { published, needAttention, openTrash } = totals
  const more = needAttention === 0 ? '' : `; ${needAttention} need attention: see \`sluice get status\``
  const text = `${published} topologies are published, ${openTrash} of their messages lie in Trash${more}`
  return [{ part, state: 'ok', text }]
}

async function examineWorkers(engine: Engine): Promise<Finding[]> {
  const workers = await engine.list('/api/workers')
  const findings = workerFindings(workers)
  if (findings.length > 0) return findings
  return [{ part: 'workers', state: 'ok', text: `${workers.length} registered, none is down` }]
}
