import { Stopped } from '../errors.ts'

/** Lets the calls of one node through, unless it is paused or its service asked to wait. */
export interface Gate {
  /** True while `pass` would resolve at once. */
  readonly open: boolean
  /** Resolves when calls may be made; rejects when the signal aborts. */
  pass(signal: AbortSignal): Promise<void>
  /** No calls for so long (a 429); a longer wait that is under way stays. */
  waitMs(ms: number): void
  /** Closes until `resume`. */
  pause(): void
  resume(): void
}

export function openGate(): Gate {
  let until = 0
  let paused = false
  let resumed: (() => void)[] = []
  return {
    get open() {
      return !paused && until <= performance.now()
    },
    async pass(signal) {
      for (;;) {
        if (signal.aborted) throw new Stopped('the bridge stops')
        const left = until - performance.now()
        if (paused) await untilCalled((wake) => resumed.push(wake), signal)
        else if (left > 0) await sleep(left, signal)
        else return
      }
    },
    waitMs: (ms) => (until = Math.max(until, performance.now() + ms)),
    pause: () => (paused = true),
    resume() {
      paused = false
      const waking = resumed
      resumed = []
      for (const wake of waking) wake()
    },
  }
}

/** Resolves after so many milliseconds of the monotonic clock; rejects with `Stopped` when the signal aborts. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return untilCalled((wake) => {
    // A longer time-out than 2^31 − 1 ms would fire at once.
    const timer = setTimeout(wake, Math.min(ms, 2_147_483_647))
    return () => clearTimeout(timer)
  }, signal)
}

function untilCalled(arrange: (wake: () => void) => unknown, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopped = (): void => {
      if (typeof cancel === 'function') (cancel as () => void)()
      reject(new Stopped('the bridge stops'))
    }
    const cancel = arrange(() => {
      signal.removeEventListener('abort', stopped)
      resolve()
    })
    if (signal.aborted) return stopped()
    signal.addEventListener('abort', stopped, { once: true })
  })
}
