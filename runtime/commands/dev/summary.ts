import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { CitiesSample, Faults } from '../../../workers/samples/cities/sample.ts'
import { grouped } from '../terminal/print.ts'
import type { Followed } from './follow.ts'

type Counts = Awaited<ReturnType<CitiesSample['counts']>>

/** What a run of the sample has come to. Records are counted in the source and in the target table, not by the engine. */
export interface Result {
  readonly followed: Followed
  readonly counts: Counts
  readonly faults: Faults
  /** Largest memory of the engine's process so far, in MB. */
  readonly rssMaxMb: number
}

export async function resultOf(followed: Followed, sample: CitiesSample): Promise<Result> {
  const [counts, faults] = await Promise.all([sample.counts(followed.run.id), sample.faults()])
  return { followed, counts, faults, rssMaxMb: Math.round(process.resourceUsage().maxRSS / 1_024) }
}

/** The line of JSON that `--once` ends with. */
export function jsonOf({ followed: { run }, counts, faults, rssMaxMb }: Result): string {
  const seconds = secondsOf(run)
  return JSON.stringify({
    run: run.id,
    source: counts.source,
    stored: counts.stored,
    trash: counts.trashCandidates,
    duplicates: counts.duplicates,
    seconds: Number(seconds.toFixed(1)),
    recordsPerSecond: Math.round(counts.source / Math.max(seconds, 0.001)),
    rssMaxMb,
    failedCallsAbsorbed: sumOf(faults),
  })
}

/** Every way in which what was counted doesn't add up; none when each record is in exactly one place. */
export function discrepancies({ followed: { run }, counts }: Result): string[] {
  const { stored, trashCandidates, duplicates, missing, missingIds, extra, source } = counts
  const found: string[] = []
  const which = missingIds.length < missing ? `, the first are ${missingIds.join(', ')}` : `: ${missingIds.join(', ')}`
  if (missing > 0) found.push(`${grouped(missing)} places are neither stored nor meant for Trash${which}`)
  if (extra > 0) found.push(`${grouped(extra)} rows were stored that the source does not have`)
  if (duplicates > 0) found.push(`rows were written ${grouped(duplicates)} times under a second message id`)
  if (stored + trashCandidates !== source && missing === 0 && extra === 0)
    found.push(`${stored} stored and ${trashCandidates} in Trash are not ${source}`)
  if (run.messages.failed !== trashCandidates)
    found.push(`Trash has ${run.messages.failed} messages of the run, and ${trashCandidates} places belong there`)
  return found
}

/** For people: what happened, and what to do about what lies in Trash. */
export function summaryOf(
  { followed: { run, firstStoredMs }, counts, faults, rssMaxMb }: Result,
  cli: string,
): string[] {
  const { source, stored, trashCandidates } = counts
  const seconds = secondsOf(run)
  const first = firstStoredMs === null ? '' : `; the first after ${(firstStoredMs / 1_000).toFixed(1)} s`
  return [
    `${grouped(stored)} of ${grouped(source)} places are stored, after ${seconds.toFixed(1)} s${first}`,
    `${grouped(source / Math.max(seconds, 0.001))} records/s; the engine took at most ${rssMaxMb} MB`,
    faultsText(faults),
    ...(trashCandidates === 0 ? [] : needAttention(trashCandidates, source, run.id, cli)),
  ]
}

function faultsText(faults: Faults): string {
  const kinds = Object.entries(faults).map(([kind, count]) => `${kind}: ${count}`)
  const count = sumOf(faults)
  if (count === 0) return 'no call of the source failed: with so few pages that may be'
  return `${count} ${count === 1 ? 'call' : 'calls'} of the source failed (${kinds.join(', ')}) and were made good`
}

function needAttention(count: number, source: number, run: string, cli: string): string[] {
  return [
    `${grouped(count)} of ${grouped(source)} need attention`,
    `  look at them  ${cli} trash list --run ${run}`,
    `  mend one      ${cli} trash edit ID`,
    `  replay them   ${cli} trash replay --all --run ${run}`,
  ]
}

function secondsOf({ startedAt, finishedAt }: Followed['run']): number {
  return (Date.parse(finishedAt ?? new Date().toISOString()) - Date.parse(startedAt)) / 1_000
}

function sumOf(faults: Faults): number {
  return Object.values(faults).reduce((sum, count) => sum + count, 0)
}

/** How the command line is called here, with the data folder if it isn't the default one: that goes before the command. */
export function cliOf(folder: string, isDefault: boolean): string {
  const cli = isCheckout() ? 'npm run -s sluice --' : 'npx sluice'
  return isDefault ? cli : `SLUICE_DATA=${relative('.', folder) || '.'} ${cli}`
}

/** In a checkout this runs from the sources or, by npm start, from dist beside them. */
function isCheckout(): boolean {
  return import.meta.url.endsWith('.ts') || existsSync(new URL('../../../../runtime/main.ts', import.meta.url))
}
