import type { Run } from '../../api/engine.ts'
import { duration } from './format.ts'
import { useNow } from './time.tsx'

/** How long a run took; while it goes on that grows, also when nothing of it is asked for. */
export function Took({ run: { state, startedAt, durationMs } }: { readonly run: Run }) {
  const isRunning = state === 'running'
  const now = useNow(isRunning)
  return duration(isRunning ? Math.max(durationMs, now - Date.parse(startedAt)) : durationMs)
}
