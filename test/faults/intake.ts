/** How work comes in: over the API, each start under a key of its own, until it is accepted. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Node, Topology } from '../../runtime/client/openapi.d.ts'
import type { Answer, Api } from './api.ts'
import { bodyOf, firstShape, startOf, topologyName, topologyOf, workerName } from './model.ts'
import type { Start } from './model.ts'

export interface Intake {
  readonly topologyId: string
  /** Node id → name. */
  readonly names: ReadonlyMap<string, string>
  /** Run id → what was started. */
  readonly accepted: ReadonlyMap<string, Start>
  /** Starts runs while fewer than `enough` are unfinished; resolves when the signal has aborted and the last start is accepted. */
  load(finished: () => number, enough: () => number, signal: AbortSignal): Promise<void>
}

const lookEveryMs = 100

/** Registers the worker and publishes the topology. */
export async function intakeOf(api: Api, workerUrl: string): Promise<Intake> {
  await api.ask('POST', '/api/workers', { body: { name: workerName, urls: [workerUrl] } })
  const { body: made } = await api.ask<Topology>('POST', '/api/topologies', { body: topologyOf(firstShape) })
  await api.ask('POST', `/api/topologies/${topologyName}/publish`)
  const { body: nodes } = await api.ask<{ items: Node[] }>('GET', `/api/topologies/${topologyName}/nodes`)
  const accepted = new Map<string, Start>()
  return {
    topologyId: made.id,
    names: new Map(nodes.items.map(({ id, name }) => [id, name])),
    accepted,
    async load(finished, enough, signal) {
      for (let run = 0; !signal.aborted;) {
        if (accepted.size - finished() >= enough()) await wait(lookEveryMs)
        else {
          const start = startOf(run++)
          accepted.set(await begin(api, start), start)
        }
      }
    },
  }
}

/** The key makes the second time harmless. */
async function begin(api: Api, start: Start): Promise<string> {
  const answer: Answer<{ runId: string }> = await api.ask('POST', `/start/${topologyName}/${start.node}`, {
    headers: { 'idempotency-key': `start-${start.run}` },
    body: bodyOf(start),
  })
  if (answer.status === 202) return answer.body.runId
  throw new Error(`start ${start.run}: ${answer.status} ${JSON.stringify(answer.body)}`)
}
