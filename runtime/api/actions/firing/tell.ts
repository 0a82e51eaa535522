import type { ApiDeps } from '../../deps.ts'

/** Tells who watches of runs that began to be there, or ended, without a message: the recorder, which tells of all others, sees nothing of it. */
export function tellRuns(
  events: ApiDeps['events'],
  runs: readonly { readonly id: string; readonly topologyId: string; readonly state: string }[],
): void {
  for (const { id: runId, topologyId, state } of runs) events.emit({ kind: 'run', topologyId, runId, state })
}

/** A queued run counts as running. */
export const queuedRun = ({ id, topologyId }: { readonly id: string; readonly topologyId: string }) =>
  ({ id, topologyId, state: 'running' }) as const
