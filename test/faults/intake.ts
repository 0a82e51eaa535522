/** How work comes in: over the real API of whichever control answers, each start under a key of its own, until it is accepted. */
import { setTimeout as wait } from 'node:timers/promises'
import { openEngine } from '../../runtime/client/engine.ts'
import type { Node, Topology } from '../../runtime/client/shapes.ts'
import { bodyOf, startOf, topology, topologyName, workerName } from './model.ts'
import type { Start } from './model.ts'

export interface Intake {
  readonly topologyId: string
  /** Node id → name. */
  readonly names: ReadonlyMap<string, string>
  /** Run id → what was started. */
  readonly accepted: ReadonlyMap<string, Start>
  /** Starts runs while few are unfinished; resolves when the signal has aborted and the last start is accepted. */
  load(finished: () => number, signal: AbortSignal): Promise<void>
}

const answerWithinMs = 3_000
/** So many unfinished runs keep every part busy, and are over soon. */
const enough = 4
const lookEveryMs = 100

/** Registers the worker and publishes the topology. */
export async function intakeOf(controls: readonly string[], token: string, workerUrl: string): Promise<Intake> {
  const engine = openEngine(controls[0] ?? '', token)
  await engine.send('POST', '/api/workers', { body: { name: workerName, urls: [workerUrl] } })
  const made = await engine.send<Topology>('POST', '/api/topologies', { body: topology })
  await engine.send('POST', `/api/topologies/${topologyName}/publish`)
  const { items } = await engine.get<{ items: Node[] }>(`/api/topologies/${topologyName}/nodes`)
  const accepted = new Map<string, Start>()
  return {
    topologyId: made.body.id,
    names: new Map(items.map(({ id, name }) => [id, name])),
    accepted,
    async load(finished, signal) {
      for (let run = 0; !signal.aborted;) {
        if (accepted.size - finished() >= enough) await wait(lookEveryMs)
        else {
          const start = startOf(run++)
          accepted.set(await begin(controls, token, start), start)
        }
      }
    },
  }
}

/** Asks one control after the other: the key makes the second time harmless. */
async function begin(controls: readonly string[], token: string, start: Start): Promise<string> {
  for (let turn = start.run; ; turn++) {
    const response = await fetch(`${controls[turn % controls.length]}/start/${topologyName}/${start.node}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': `start-${start.run}`,
      },
      body: bodyOf(start),
      signal: AbortSignal.timeout(answerWithinMs),
    }).catch(() => null)
    const answer =
      response?.status === 202 ? ((await response.json().catch(() => null)) as { runId: string } | null) : null
    if (answer !== null) return answer.runId
    if (response !== null && response.status < 500)
      throw new Error(`start ${start.run}: ${response.status} ${await response.text()}`)
    await wait(100)
  }
}
