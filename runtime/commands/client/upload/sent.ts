import { statSync } from 'node:fs'
import { Invalid, textOf } from '../../../errors.ts'
import { grouped } from '../../terminal/print.ts'
import { openProgress } from '../../terminal/progress.ts'

/** Tells how much of a file was sent, on stderr. */
export interface Sent {
  counting(source: AsyncIterable<unknown>): AsyncGenerator<Buffer>
  end(): void
}

/** `-` is stdin, whose size nobody knows. */
export function openSent(file: string): Sent {
  const progress = openProgress(process.stderr)
  const total = file === '-' ? null : sizeOf(file)
  const everyMs = process.stderr.isTTY ? 200 : 10_000
  let [bytes, shownAt, isShown] = [0, performance.now(), false]
  const line = (): string => {
    const share =
      total === null || total === 0 ? '' : ` of ${megabytes(total)} (${Math.floor((bytes / total) * 100)} %)`
    return `${megabytes(bytes)}${share} sent`
  }
  return {
    async *counting(source) {
      bytes = 0
      for await (const piece of source) {
        yield piece as Buffer
        bytes += (piece as Buffer).length
        if (performance.now() - shownAt < everyMs) continue
        progress.show(line())
        shownAt = performance.now()
        isShown = true
      }
    },
    end() {
      if (isShown) progress.end(line())
      isShown = false
    },
  }
}

const megabytes = (bytes: number): string => `${grouped(Math.round(bytes / 1e6))} MB`

/** Throws `Invalid` when it isn't there. */
export function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch (error) {
    throw new Invalid(`${file} can't be read: ${textOf(error)}`, [], { cause: error })
  }
}
