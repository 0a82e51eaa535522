import { callsIn, rowsOf } from './audit.ts'
import { explain } from './check/calls.ts'
import { check } from './check/check.ts'
import type { Evidence, Hit, Violation } from './check/evidence.ts'
import type { Deed } from './deeds/deeds.ts'
import { hitsOf } from './inject.ts'
import type { Journal } from './inject.ts'
import { atOnce, keyedNodes, orderedNodes } from './model.ts'
import type { Parts } from './parts/engine.ts'

export interface Report {
  readonly faults: number
  /** Processes that were there and were killed, or ended themselves at a point. */
  readonly kills: number
  /** How many deeds of each kind were done. */
  readonly deeds: Readonly<Partial<Record<Deed['kind'], number>>>
  readonly runs: number
  /** Of the runs: those of which something was cancelled. */
  readonly cancelled: number
  readonly messages: number
  readonly calls: number
  readonly repeated: Repeated
  readonly violations: readonly Violation[]
  readonly evidence: Evidence
}

/** Messages whose calls were made again. */
interface Repeated {
  readonly all: number
  readonly perBridgeKill: number
  readonly perNatsKill: number
}

export async function evidenceOf(
  { auditor, intake, doer, postgresUrl, calls }: Parts,
  journal: Journal,
): Promise<Evidence> {
  const rows = await rowsOf(postgresUrl)
  return {
    ...rows,
    stored: auditor.stored(),
    starts: intake.accepted,
    calls: callsIn(calls),
    names: intake.names,
    ordered: orderedNodes,
    keyed: keyedNodes,
    asked: doer.asked,
    hits: hitsOf(journal),
    atOnce,
  }
}

/** @param stuck what is wrong besides */
export function reportOf(
  { injected, violations }: Journal,
  deeds: readonly Deed[],
  stuck: readonly Violation[],
  evidence: Evidence,
): Report {
  const { stored, starts, calls, runs } = evidence
  const counts: Partial<Record<Deed['kind'], number>> = {}
  for (const { kind } of deeds) counts[kind] = (counts[kind] ?? 0) + 1
  return {
    faults: injected.length,
    kills: injected.reduce((sum, { kills }) => sum + kills, 0),
    deeds: counts,
    runs: starts.size,
    cancelled: runs.filter(({ cancelled }) => cancelled > 0).length,
    messages: stored.length,
    calls: calls.length,
    repeated: repeatedIn(evidence),
    violations: [...stuck, ...violations, ...check(evidence)],
    evidence,
  }
}

function repeatedIn(evidence: Evidence): Repeated {
  const { hits } = evidence
  const explained = explain(evidence)
  const of = (hit: Hit): number => explained.filter((one) => one.hit === hit).length
  const per = (what: Hit['what']): number => {
    const kills = hits.filter((hit) => hit.isKill && hit.what === what)
    return kills.length === 0 ? 0 : kills.reduce((sum, hit) => sum + of(hit), 0) / kills.length
  }
  return { all: explained.length, perBridgeKill: per('bridge'), perNatsKill: per('nats') }
}
