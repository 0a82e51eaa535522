import type { Page } from 'playwright-core'

export interface Frames {
  /** By the usual time between two of them. */
  readonly fps: number
  /** One frame in twenty takes longer. */
  readonly p95Ms: number
  readonly worstMs: number
  readonly count: number
  /** Texts that were changed meanwhile. */
  readonly texts: number
}

const begin = (place: string): string => `(() => {
  const gaps = []
  let last = performance.now()
  let isOver = false
  let texts = 0
  const observer = new MutationObserver((changes) => (texts += changes.length))
  observer.observe(document.querySelector('${place}'), { subtree: true, characterData: true })
  const step = (now) => {
    gaps.push(now - last)
    last = now
    if (!isOver) requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
  globalThis.framesSoFar = () => {
    isOver = true
    observer.disconnect()
    return { gaps: gaps.slice(1), texts }
  }
})()`

/** Frames as the browser draws them while `act` goes on, and how many texts change inside of `place`. */
export async function framesOf(page: Page, place: string, act: () => Promise<void>): Promise<Frames> {
  await page.evaluate(begin(place))
  await act()
  const { gaps, texts } = await page.evaluate<{ gaps: number[]; texts: number }>('framesSoFar()')
  const sorted = gaps.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Infinity
  return {
    fps: Math.round(1_000 / at(0.5)),
    p95Ms: Math.round(at(0.95)),
    worstMs: Math.round(sorted.at(-1) ?? Infinity),
    count: gaps.length,
    texts,
  }
}
