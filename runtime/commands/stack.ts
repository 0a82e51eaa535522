import { Conflict, Invalid, Unavailable, textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

/** What a command has opened, closed in reverse order, once. */
export interface Stack {
  /** Aborts when closing begins. */
  readonly signal: AbortSignal
  /**
   * Opens a part and remembers how to close it. When the stack is closed meanwhile, the part is closed at once and this
   * rejects. `open` should give up when the signal aborts.
   */
  own<T>(open: (signal: AbortSignal) => T | Promise<T>, close: (part: T) => unknown): Promise<T>
  /** Resolves when closing begins. */
  stopping(): Promise<void>
  /** Waits for what is being opened, then closes everything. Never rejects; twice is harmless. */
  stop(): Promise<void>
}

/** A part that doesn't close is written to the log: the others are closed all the same. */
export function openStack(log: Log): Stack {
  const closers: (() => unknown)[] = []
  const opening = new Set<Promise<unknown>>()
  const closing = new AbortController()
  const { signal } = closing
  let closed: Promise<void> | null = null

  async function open<T>(work: (signal: AbortSignal) => T | Promise<T>, close: (part: T) => unknown): Promise<T> {
    signal.throwIfAborted()
    const part = await work(signal)
    if (signal.aborted) await close(part)
    signal.throwIfAborted()
    closers.push(() => close(part))
    return part
  }
  async function closeAll(): Promise<void> {
    closing.abort(new Error('the engine is being stopped'))
    await Promise.allSettled(opening)
    for (const close of closers.reverse()) {
      try {
        await close()
      } catch (error) {
        log.error('a part did not close', { error: textOf(error) })
      }
    }
  }
  return {
    signal,
    own(work, close) {
      const opened = open(work, close)
      opening.add(opened)
      const forget = () => void opening.delete(opened)
      opened.then(forget, forget)
      return opened
    },
    stopping: () =>
      new Promise((resolve) => {
        if (signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve(), { once: true })
      }),
    stop: () => (closed ??= closeAll()),
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** ^C reaches a child of npm from the terminal, and at once again from npm: that is one ^C. */
const sameSignalMs = 500

/**
 * Does `work` with a stack that is closed at its end, or at the first SIGINT, SIGTERM or SIGHUP; a second one exits at
 * once. Returns whether the work was interrupted; what it throws then is a consequence of closing, and is dropped.
 */
export async function withStack(log: Log, work: (stack: Stack) => Promise<void>): Promise<boolean> {
  const stack = openStack(log)
  let first = Infinity
  const onSignal = () => {
    if (performance.now() - first > sameSignalMs) process.exit(130)
    first = Math.min(first, performance.now())
    void stack.stop()
  }
  for (const signal of signals) process.on(signal, onSignal)
  const crash = new Promise<never>((_, reject) => process.once('uncaughtException', reject))
  try {
    await Promise.race([work(stack), crash])
    return stack.signal.aborted
  } catch (error) {
    record(log, error, stack.signal.aborted)
    if (!stack.signal.aborted) throw error
    return true
  } finally {
    await stack.stop()
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** What follows from closing, and what we throw on purpose, is no news; of the rest, the log keeps where it came from. */
function record(log: Log, error: unknown, isClosing: boolean): void {
  const stack = error instanceof Error ? error.stack : undefined
  const isExpected = isClosing || [Invalid, Unavailable, Conflict].some((kind) => error instanceof kind)
  log[isExpected ? 'debug' : 'error']('the command ends on an error', { error: textOf(error), stack })
}
