/** Calls `work` at once, and again after `everyMs` if it was asked for meanwhile: what comes in floods is done at an even pace. */
export interface Pace {
  (key: string, everyMs: number, work: () => void): void
  stop(): void
}

interface Turn {
  readonly timer: ReturnType<typeof setTimeout>
  next: (() => void) | null
}

export function openPace(): Pace {
  const turns = new Map<string, Turn>()
  const begin = (key: string, everyMs: number, work: () => void): void => {
    const turn: Turn = { next: null, timer: setTimeout(() => end(key, everyMs), everyMs) }
    turns.set(key, turn)
    work()
  }
  const end = (key: string, everyMs: number): void => {
    const next = turns.get(key)?.next
    turns.delete(key)
    if (next) begin(key, everyMs, next)
  }
  const pace = (key: string, everyMs: number, work: () => void): void => {
    const turn = turns.get(key)
    if (turn) turn.next = work
    else begin(key, everyMs, work)
  }
  return Object.assign(pace, {
    stop() {
      for (const { timer } of turns.values()) clearTimeout(timer)
      turns.clear()
    },
  })
}
