import { Stopped } from '../../errors.ts'

/** Waits, perhaps less long than the waiting would last: then its signal aborts. Rejects with `Stopped` when the process stops. */
export type Wait = (waiting: (signal: AbortSignal) => Promise<void>) => Promise<void>

/** What the waiting gave; null when it was cut short. */
export async function waitFor<T>(wait: Wait, turn: (signal: AbortSignal) => Promise<T | null>): Promise<T | null> {
  const got: { given: T | null } = { given: null }
  await wait(async (signal) => {
    got.given = await turn(signal)
  })
  return got.given
}

/** Those who wait for something, first come first served. Who is given something has it, and must use it or give it back. */
export class Line<T> {
  readonly #waiting = new Set<(given: T | null) => void>()

  get length(): number {
    return this.#waiting.size
  }

  /**
   * Resolves with what it was given; with null after `patienceMs` (and as soon as `mayLeave` agrees), or when it was dismissed.
   * Rejects with `Stopped` when the signal aborts.
   */
  join(patienceMs: number, signal: AbortSignal, mayLeave: () => boolean = () => true): Promise<T | null> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearInterval(timer)
        signal.removeEventListener('abort', stopped)
        this.#waiting.delete(take)
      }
      const take = (given: T | null): void => {
        leave()
        resolve(given)
      }
      const stopped = (): void => {
        leave()
        reject(new Stopped('the bridge stops'))
      }
      const timer = setInterval(() => mayLeave() && take(null), patienceMs)
      this.#waiting.add(take)
      if (signal.aborted) stopped()
      else signal.addEventListener('abort', stopped)
    })
  }

  /** Gives to one after the other as long as there is something to give. */
  serve(give: () => T | null): void {
    for (const take of this.#waiting) {
      const given = give()
      if (given === null) return
      take(given)
    }
  }

  /** Everybody goes, with nothing. */
  dismiss(): void {
    for (const take of this.#waiting) take(null)
  }
}
