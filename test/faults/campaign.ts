/** One campaign: start everything, keep work coming, inject faults, wait until all is settled, look at the evidence. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ensureCompiled } from '../../bin/compiled.mjs'
import { textOf } from '../../runtime/errors.ts'
import type { Auditor } from './audit.ts'
import { tellDeed } from './deeds/deeds.ts'
import type { Deed } from './deeds/deeds.ts'
import { occasionOf } from './deeds/occasions.ts'
import { inject } from './inject.ts'
import type { Journal } from './inject.ts'
import { startParts } from './parts/engine.ts'
import type { EngineOptions, Parts } from './parts/engine.ts'
import type { Part } from './parts/process.ts'
import { evidenceOf, reportOf } from './report.ts'
import type { Report } from './report.ts'
import { hitBy, isLate, pointWithinMs, tellFault } from './schedule.ts'
import type { Fault, Targets } from './schedule.ts'
import { untilSettled } from './settled.ts'

export interface Campaign {
  readonly targets: Targets
  readonly auditor: Auditor
  part(name: string): Part
  /** Injects and does each when its time has come, and resolves when all of the faults are over. */
  injectTimed(faults: readonly Fault[], deeds?: readonly Deed[]): Promise<void>
  /** Injects points, one after the other at each target; one that isn't reached is a violation. */
  injectInTurn(faults: readonly Fault[]): Promise<void>
  /** No more work; waits until everything is settled, and says what is wrong. */
  finish(): Promise<Report>
  /** Ends everything; the folder with what the parts stored and logged goes too, unless it is kept to be looked at. */
  close(folder?: 'keep'): Promise<void>
}

/** Each point is reached once, however long that takes a machine with other things to do. */
const everyPointWithinMs = 60_000
/** Everything is up, so what is asked for is answered. */
const answeredWithinMs = 120_000
/** So many unfinished runs keep every part busy, and are over soon. */
const enough = 4
/** How often one more is let in while something is stuck. */
const oneMoreMs = 4_000

export async function openCampaign(options: EngineOptions): Promise<Campaign> {
  await ensureCompiled()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
  const closers: (() => unknown)[] = []
  let isClosed = false
  const close: Campaign['close'] = async (kept) => {
    if (isClosed) return
    isClosed = true
    for (const closer of closers.reverse()) await closer()
    if (kept === 'keep') options.say(`everything is kept in ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  }
  try {
    return campaignOf(await startParts(options, folder, closers), options.say, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

/** What changes while a campaign goes on. */
interface State {
  readonly parts: Parts
  readonly journal: Journal
  readonly done: Deed[]
  /** Deeds that aren't answered yet. */
  readonly open: Map<Deed, Promise<void>>
  /** Since when something is held up on purpose: more is let in meanwhile. */
  stuckSince: number | null
  find(name: string): Part
  say(line: string): void
}

function campaignOf(
  parts: Parts,
  say: (line: string) => void,
  closers: (() => unknown)[],
  close: Campaign['close'],
): Campaign {
  const { bridges, controls, worker, postgres, nats, auditor, intake } = parts
  const all = new Map([...bridges, ...controls, worker, postgres, ...nats].map((part) => [part.name, part]))
  const find = (name: string): Part => {
    const found = all.get(name)
    if (found === undefined) throw new Error(`there is no part ${name}`)
    return found
  }
  const journal = { injected: [], violations: [] }
  const state: State = { parts, journal, done: [], open: new Map(), stuckSince: null, find, say }
  const stopping = new AbortController()
  closers.push(() => stopping.abort())
  const load = intake.load(
    () => auditor.finished(),
    () => roomIn(state),
    stopping.signal,
  )
  return {
    targets: {
      bridges: bridges.map(({ name }) => name),
      controls: controls.map(({ name }) => name),
      worker: worker.name,
      postgres: postgres.name,
      nats: nats.map(({ name }) => name),
    },
    auditor,
    part: find,
    injectTimed: (faults, deeds = []) => injectTimed(state, faults, deeds),
    injectInTurn: (faults) => injectInTurn(state, faults),
    async finish() {
      stopping.abort()
      await load
      for (const part of all.values()) await part.works()
      return finish(state)
    },
    close,
  }
}

function roomIn({ stuckSince }: State): number {
  return stuckSince === null ? enough : enough + Math.floor((performance.now() - stuckSince) / oneMoreMs)
}

async function injectTimed(state: State, faults: readonly Fault[], deeds: readonly Deed[]): Promise<void> {
  const since = performance.now()
  const until = (atMs: number): Promise<void> => wait(Math.max(0, atMs - (performance.now() - since)))
  const doing = deeds.map(async (deed) => {
    await until(deed.atMs)
    begin(state, deed)
  })
  const under = faults.map(async (fault) => {
    await until(fault.atMs)
    await inject(fault, pointWithinMs, state)
  })
  await Promise.all([...under, ...doing])
}

/** It may take until a control and NATS are up again; others don't wait for it. */
function begin({ parts, done, open, journal, say }: State, deed: Deed): void {
  const doing = parts.doer.do(deed).then(
    (result) => {
      done.push(deed)
      say(`${tellDeed(deed)}: ${result}`)
    },
    (error: unknown) => journal.violations.push({ kind: 'stray', text: `${tellDeed(deed)}: ${textOf(error)}` }),
  )
  open.set(
    deed,
    doing.then(() => void open.delete(deed)),
  )
}

async function injectInTurn(state: State, faults: readonly Fault[]): Promise<void> {
  for (const phase of [faults.filter((fault) => !isLate(fault)), faults.filter(isLate)]) {
    const targets = new Set(phase.flatMap(hitBy))
    const lines = [...targets].map(async (target) => {
      for (const fault of phase) if (hitBy(fault).includes(target)) await reach(state, fault)
    })
    await Promise.all(lines)
  }
}

/** With what has to be done for it. */
async function reach(state: State, fault: Fault): Promise<void> {
  const { find, journal, parts } = state
  for (const target of hitBy(fault)) await find(target).works()
  const over = new AbortController()
  const occasion = fault.kind === 'point' ? occasionOf(fault.point) : null
  if (fault.kind === 'point' && fault.point === 'mid-sweep') state.stuckSince = performance.now()
  const made = occasion?.(parts.doer, over.signal)
  const reached = await inject(fault, everyPointWithinMs, state)
  over.abort()
  await made
  state.stuckSince = null
  if (!reached) journal.violations.push({ kind: 'stray', text: `never reached: ${tellFault(fault)}` })
}

async function finish(state: State): Promise<Report> {
  const { parts, journal, done, open } = state
  await Promise.race([Promise.all(open.values()), wait(answeredWithinMs, undefined, { ref: false })])
  const refusals = parts.api.refusals().join('\n    ')
  for (const deed of open.keys())
    journal.violations.push({ kind: 'stray', text: `never answered: ${tellDeed(deed)}; refused last: ${refusals}` })
  const { auditor, intake, doer, postgresUrl, logs } = parts
  await doer.resumeAll()
  const accepted = (): number => intake.accepted.size
  const stuck = await untilSettled({ auditor, postgresUrl, accepted, nudge: () => doer.resumeAll(), logs })
  return reportOf(journal, done, stuck, await evidenceOf(parts, journal))
}
