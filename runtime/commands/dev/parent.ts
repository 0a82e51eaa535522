import type { Stack } from '../stack.ts'

const lookEveryMs = 500

/**
 * Closes the stack when the process that started this one is gone: npm that is killed passes no signal on. Only for an engine
 * that npm runs: one that was begun in the background outlives its shell.
 */
export function endWithParent(stack: Stack): void {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid !== parent) void stack.stop()
  }, lookEveryMs)
  timer.unref()
  stack.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
}
