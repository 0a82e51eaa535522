import { setTimeout as wait } from 'node:timers/promises'
import type { Hit, Violation } from './check/evidence.ts'
import type { Armable, Part } from './parts/process.ts'
import { hitBy, tellFault } from './schedule.ts'
import type { Fault } from './schedule.ts'

/** What was injected, as far as it came to that. */
export interface Journal {
  readonly injected: Injected[]
  readonly violations: Violation[]
}

interface Injected {
  readonly fault: Fault
  /** Processes that were there and were killed by it. */
  readonly kills: number
  readonly from: number
  readonly to: number
}

interface Deps {
  find(name: string): Part
  readonly journal: Journal
  say(line: string): void
}

/** Resolves when what was hit is up again; with false when it was a point that wasn't reached. */
export async function inject(fault: Fault, withinMs: number, { find, journal, say }: Deps): Promise<boolean> {
  const hit = hitBy(fault).map(find)
  const down = hit.filter(({ isUp }) => !isUp).map(({ name }) => name)
  say(`${tellFault(fault)}${down.length > 0 ? ` (down already: ${down.join(', ')})` : ''}`)
  const from = Date.now()
  if (fault.kind === 'point') {
    const reached = await (hit[0] as Armable).dieAt(fault.point, fault.nth, withinMs)
    if (reached) journal.injected.push({ fault, kills: 1, from, to: Date.now() })
    else say(`${tellFault(fault)}: not reached`)
    return reached
  }
  const isKill = fault.kind === 'kill'
  for (const part of hit) part[isKill ? 'kill' : 'freeze']()
  await wait(fault.forMs)
  for (const part of hit) part[isKill ? 'start' : 'thaw']()
  journal.injected.push({ fault, kills: isKill ? hit.length - down.length : 0, from, to: Date.now() })
  return true
}

/** A lease, and the time in which bridges and NATS find each other again. */
const settledWithinMs = 10_000

/** Faults that cost bridges what they held. */
export function hitsOf({ injected }: Journal): Hit[] {
  return injected.flatMap(({ fault, kills, from, to }): Hit[] => {
    const names = hitBy(fault)
    const isNats = names.some((name) => name.startsWith('nats'))
    const isLost = fault.kind === 'stop' || kills > 0
    if (!isLost || !(isNats || names.some((name) => name.startsWith('bridge')))) return []
    const what = isNats ? 'nats' : 'bridge'
    return [{ text: tellFault(fault), what, isKill: kills > 0, from, to: to + settledWithinMs }]
  })
}
