import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Config } from '../config.ts'
import type { Connection } from '../connection.ts'

/**
 * The clock of the NATS server, by which all bridges share limits: their own may differ. Learned by asking: the answer's time lies between
 * when the question left and when the answer came. So each answer says between which two the clock is, and it is taken to be in the middle of what all of
 * the last ones leave (the intersection of Marzullo, as in NTP, RFC 5905): one quick way out and another quick way back are enough.
 * A clock that was put would be seen by one bridge up to three seconds before another, and what each reserves meanwhile would make no sense to the
 * others. So who sees it goes on as before and tells all, itself too: they ask at the same moment, and go by the new time from then on.
 */
export interface ServerClock {
  /** Milliseconds of the epoch. */
  now(): number
  /** Bridges that lived when it was asked last; at least 1. */
  bridges(): number
  close(): void
}

const askEveryMs = 3_000
const firstAnswers = 5
const keptAnswers = 8

interface Answer {
  /** Of the server's clock to `performance.now()`. */
  readonly offset: number
  /** Half the time that the answer took. */
  readonly error: number
  readonly bridges: number
}

/**
 * Resolves when the clock is known; while NATS doesn't answer it goes by this machine's. It is the bucket of heartbeats that is asked: how many
 * bridges live is told along with the time.
 */
export async function openServerClock(connection: Connection, { bridgesName }: Config, log: Log): Promise<ServerClock> {
  const stream = `KV_${bridgesName}`
  const putSubject = `${bridgesName}.clock`
  let answers: Answer[] = []
  let bridges = 1
  let isOpening = true
  let offset = Date.now() - performance.now()
  const ask = async (isTold: boolean): Promise<void> => {
    try {
      const answer = await askOnce(connection, stream)
      if (!isTold && wasPut(answers, answer)) return connection.nc.publish(putSubject)
      answers = agreeing(answers, answer).slice(-keptAnswers)
      // A bridge opens its clock before it has said that it lives.
      bridges = Math.max(1, answer.bridges + (isOpening ? 1 : 0))
      offset = middleOf(answers)
    } catch (error) {
      log.debug("the time of the NATS server isn't known anew", { error: textOf(error) })
    }
  }
  for (let i = 0; i < firstAnswers; i++) await ask(true)
  isOpening = false
  const subscription = connection.nc.subscribe(putSubject, { callback: (error) => void (error === null && ask(true)) })
  const timer = setInterval(() => connection.connected && void ask(false), askEveryMs).unref()
  return {
    now: () => performance.now() + offset,
    bridges: () => bridges,
    close() {
      clearInterval(timer)
      subscription.unsubscribe()
    },
  }
}

async function askOnce({ jsm }: Connection, stream: string): Promise<Answer> {
  const asked = performance.now()
  const { ts, state } = await jsm.streams.info(stream)
  if (ts === undefined) throw new Error('the server does not tell its time')
  const answered = performance.now()
  return {
    offset: timeOf(ts) - (asked + answered) / 2,
    error: (answered - asked) / 2,
    bridges: state.num_subjects ?? 0,
  }
}

/** RFC 3339 with nanoseconds as milliseconds with a fraction. */
function timeOf(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? ''
  return Math.floor(Date.parse(text) / 1000) * 1000 + Number(`0.${fraction || '0'}`) * 1000
}

/** All that can be true at the same time as the newest: when the server's clock was set, those before say nothing any more. */
function agreeing(answers: readonly Answer[], newest: Answer): Answer[] {
  return [...answers.filter((one) => agree(one, newest)), newest]
}

function wasPut(answers: readonly Answer[], newest: Answer): boolean {
  return !answers.every((one) => agree(one, newest))
}

const agree = (one: Answer, other: Answer): boolean =>
  Math.abs(one.offset - other.offset) <= one.error + other.error + driftMs

/** What two clocks may part in half a minute. */
const driftMs = 5

function middleOf(answers: readonly Answer[]): number {
  const least = Math.max(...answers.map(({ offset, error }) => offset - error))
  const most = Math.min(...answers.map(({ offset, error }) => offset + error))
  return (least + most) / 2
}
