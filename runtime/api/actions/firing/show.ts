import type { Gate } from '../../../store/queries/starts/gates.ts'

/** When a cron node fires, as the API shows it. Times are RFC 3339. */
export interface ShownFiring {
  readonly nextAt: string | null
  readonly lastAt: string | null
  readonly lastRunId: string | null
  readonly skipped: number
  readonly lastSkipped: { readonly at: string; readonly reason: string; readonly runId: string | null } | null
}

/** `gate` null: it was never published; `active`: it is, and it and its topology are enabled. */
export function showFiring(gate: Gate | null, active: boolean): ShownFiring {
  const { skippedAt: at = null, skippedReason: reason = null } = gate ?? {}
  return {
    nextAt: (active ? gate?.nextAt?.toISOString() : null) ?? null,
    lastAt: gate?.lastAt?.toISOString() ?? null,
    lastRunId: gate?.lastRunId ?? null,
    skipped: gate?.skipped ?? 0,
    lastSkipped: at && { at: at.toISOString(), reason: reason ?? '', runId: gate?.skippedRunId ?? null },
  }
}
