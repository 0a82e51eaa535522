import type { Msg } from '@nats-io/transport-node'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'

/**
 * Bridges ask each other which of them can call a worker. Over core NATS: an answer is about now or it is nothing, and who is gone
 * doesn't answer. Nothing is sent while nobody asks.
 */
export interface Peers {
  /** Asks all other bridges; never waits, never fails. */
  ask(workers: readonly string[]): void
  close(): void
}

interface PeersDeps {
  readonly connection: Connection
  /** Name of the bucket of heartbeats. */
  readonly bridges: string
  /** Of this bridge. */
  readonly id: string
  /** How well this bridge can call the worker; null: not at all, and nothing is answered. */
  readonly answer: (worker: string) => Promise<string | null>
  /** Another bridge can call the worker. */
  readonly onAnswer: (worker: string, reach: string) => void
  readonly log: Log
}

interface Question {
  readonly bridge: string
  readonly workers: readonly string[]
}

interface Answer {
  readonly worker: string
  readonly reach: string
}

/** Core NATS: no stream may have these subjects. */
const questions = (bridges: string): string => `${bridges}.reach`
const answers = (bridges: string, id: string): string => `${bridges}.reached.${id}`

export function openPeers({ connection, bridges, id, answer, onAnswer, log }: PeersDeps): Peers {
  const { nc } = connection
  const say = (subject: string, what: Question | Answer): void => {
    if (connection.connected) nc.publish(subject, JSON.stringify(what))
  }
  const onQuestion = async ({ bridge, workers }: Question): Promise<void> => {
    if (bridge === id) return
    await Promise.all(
      workers.map(async (worker) => {
        const reach = await answer(worker)
        if (reach !== null) say(answers(bridges, bridge), { worker, reach })
      }),
    )
  }
  const listen = (subject: string, hear: (message: Msg) => Promise<void> | void) =>
    nc.subscribe(subject, {
      callback: (error, message: Msg) => {
        const heard = async (): Promise<void> => hear(message)
        if (error === null)
          heard().catch((why: unknown) => log.debug('a bridge is not understood', { error: textOf(why) }))
      },
    })
  const onAnswered = (message: Msg): void => {
    const { worker, reach } = message.json<Answer>()
    onAnswer(worker, reach)
  }
  const subscriptions = [
    listen(questions(bridges), (message) => onQuestion(message.json<Question>())),
    listen(answers(bridges, id), onAnswered),
  ]
  return {
    ask: (workers) => say(questions(bridges), { bridge: id, workers }),
    close() {
      for (const subscription of subscriptions) subscription.unsubscribe()
    },
  }
}
