import { setTimeout as delay } from 'node:timers/promises'

/**
 * Waits until `fn` neither throws nor returns false, and returns what it returned. After `timeoutMs` (10 s) throws an
 * error that has the name of what was awaited, and the last error as its cause.
 */
export async function eventually<T>(
  name: string,
  fn: () => T | Promise<T>,
  { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
): Promise<Exclude<T, false>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const { value, error } = await attempt(fn)
    if (error === undefined && value !== false) return value as Exclude<T, false>
    if (performance.now() > deadline) {
      const why = error instanceof Error ? `: ${error.message}` : ''
      throw new Error(`not within ${timeoutMs} ms: ${name}${why}`, { cause: error })
    }
    await delay(20)
  }
}

async function attempt<T>(fn: () => T | Promise<T>): Promise<{ value?: T; error?: unknown }> {
  try {
    return { value: await fn() }
  } catch (error) {
    return { error: error ?? new Error('threw nothing') }
  }
}
