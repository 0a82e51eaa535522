import type { Queue, Run } from '../../client/openapi.d.ts'
import { grouped } from '../terminal/print.ts'

/** How far a run is. */
export type RunState = Pick<Run, 'id' | 'topology' | 'state' | 'startedAt' | 'finishedAt' | 'messages'>

/** One look at a run. */
export interface Look {
  readonly atMs: number
  readonly run: RunState
  readonly queues: readonly Pick<Queue, 'node' | 'pending' | 'inFlight' | 'replies' | 'delayed'>[]
}

/** Shows how far a run is. */
export interface Display {
  /** `looks` are those of the last seconds, the newest last. */
  show(looks: readonly Look[]): void
  close(): void
}

const redrawMs = 500
const lineEveryMs = 2_000
/** A terminal that doesn't know its width says 0. */
const columnsDefault = 80

/** A block that is redrawn on a terminal, else a line every 2 s. */
export function openDisplay(source: number): Display {
  return process.stdout.isTTY ? openBlock(source) : openLines(source)
}

function openBlock(source: number): Display {
  let looks: readonly Look[] = []
  let drawn = 0
  const draw = () => {
    const lines = blockOf(looks, source).map((line) => line.slice(0, process.stdout.columns || columnsDefault))
    // Up to the block's first line; each line is cleared as it is written.
    process.stdout.write((drawn > 0 ? `\x1b[${drawn}A` : '') + lines.map((line) => `\x1b[2K${line}\n`).join(''))
    drawn = lines.length
  }
  const timer = setInterval(() => looks.length > 0 && draw(), redrawMs)
  return {
    show: (next) => void (looks = next),
    close() {
      clearInterval(timer)
      if (looks.length > 0) draw()
    },
  }
}

function openLines(source: number): Display {
  let printedAtMs = -Infinity
  return {
    show(looks) {
      const newest = looks.at(-1)
      if (!newest || newest.atMs - printedAtMs < lineEveryMs) return
      printedAtMs = newest.atMs
      console.log(lineOf(looks, source))
    },
    close: () => {},
  }
}

interface Counts {
  readonly read: number
  readonly stored: number
  readonly trash: number
  /** Messages that come into their queue again when their time comes. */
  readonly delayed: number
}

/**
 * The records of a run by what became of them. Each is one message from its page on. The run's counts are behind the queues
 * while its messages are new, so at least what lies in the queues was read.
 */
function countsOf({ run, queues }: Look, source: number): Counts {
  const { total, done, failed } = run.messages
  const delayed = queues.reduce((sum, queue) => sum + queue.delayed, 0)
  const queued = queues.reduce((sum, { pending, inFlight, replies }) => sum + pending + inFlight + replies, delayed)
  const read = Math.max(total, Math.min(source, done + failed + queued))
  return { read, stored: done, trash: failed, delayed }
}

const delayedText = (delayed: number): string => (delayed > 0 ? `, ${grouped(delayed)} waiting to be tried again` : '')

/** One line of progress. */
export function lineOf(looks: readonly Look[], source: number): string {
  const newest = looks.at(-1)
  if (!newest) return ''
  const { read, stored, trash, delayed } = countsOf(newest, source)
  const queues = newest.queues.map(({ node, pending, inFlight }) => `${node} ${pending + inFlight}`).join(', ')
  const speed = `${grouped(rateOf(looks))} records/s, ${megabytes()} MB`
  const records = `read ${grouped(read)} of ${grouped(source)}, stored ${grouped(stored)}, in Trash ${grouped(trash)}`
  return `${records}${delayedText(delayed)}; ${speed}; queues: ${queues}`
}

const barWidth = 40

function blockOf(looks: readonly Look[], source: number): string[] {
  const newest = looks.at(-1)
  if (!newest) return []
  const { read, stored, trash, delayed } = countsOf(newest, source)
  const share = source === 0 ? 1 : Math.min(1, (stored + trash) / source)
  const filled = Math.round(share * barWidth)
  const longest = Math.max(...newest.queues.map(({ node }) => node.length), 0)
  return [
    `  [${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${Math.floor(share * 100)} %`,
    `  read ${grouped(read)} of ${grouped(source)}, stored ${grouped(stored)}, in Trash ${grouped(trash)}${delayedText(delayed)}`,
    `  ${grouped(rateOf(looks))} records/s, engine ${megabytes()} MB`,
    ...newest.queues.map(({ node, pending, inFlight }) => {
      return `  ${node.padEnd(longest)}  ${grouped(pending).padStart(7)} waiting, ${String(inFlight).padStart(2)} at work`
    }),
  ]
}

/** Records that were stored or put in Trash, per second over the looks. */
function rateOf(looks: readonly Look[]): number {
  const [first, last] = [looks[0], looks.at(-1)]
  if (!first || !last || last.atMs - first.atMs < 500) return 0
  const settled = ({ run }: Look) => run.messages.done + run.messages.failed
  return ((settled(last) - settled(first)) * 1_000) / (last.atMs - first.atMs)
}

const megabytes = (): number => Math.round(process.memoryUsage.rss() / 1_048_576)
