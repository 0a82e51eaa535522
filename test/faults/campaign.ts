/** One campaign: start everything, keep work coming, inject faults, wait until all is settled, look at the evidence. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ensureCompiled } from '../../bin/compiled.mjs'
import { startGuard } from '../../runtime/embedded/guard.ts'
import { freePort } from '../../runtime/embedded/process.ts'
import { textOf } from '../../runtime/errors.ts'
import { callsIn, openAuditor, rowsOf } from './audit.ts'
import type { Auditor } from './audit.ts'
import { check, repeatedCalls } from './check.ts'
import type { Evidence, Violation } from './check.ts'
import { intakeOf } from './intake.ts'
import type { Intake } from './intake.ts'
import { keyedNodes, orderedNodes } from './model.ts'
import { openScript } from './parts/process.ts'
import type { Armable, Part, Watched } from './parts/process.ts'
import { hitBy, pointWithinMs, tellFault } from './schedule.ts'
import type { Fault, Targets } from './schedule.ts'
import { startNats, startPostgres } from './parts/services.ts'

export interface CampaignOptions {
  readonly seed: number
  /** NATS servers: 1, or 3 with three copies of everything. */
  readonly servers: 1 | 3
  readonly bridges: number
  /** The janitor's window: longer than a control is stopped, since the intake relies on it. */
  readonly historyMs: number
  /** How much the worker misbehaves: 1 is usual. */
  readonly mischief: number
  /** Gets one line for every fault, and for what a person should know. */
  readonly say: (line: string) => void
}

export interface Report {
  readonly faults: number
  /** Processes that were killed, or ended themselves at a point. */
  readonly kills: number
  readonly runs: number
  readonly messages: number
  readonly calls: number
  readonly repeated: { readonly all: number; readonly perBridgeKill: number; readonly perNatsKill: number }
  readonly violations: readonly Violation[]
  readonly evidence: Evidence
}

export interface Campaign {
  readonly targets: Targets
  readonly auditor: Auditor
  part(name: string): Part
  /** Injects each when its time has come, and resolves when all of them are over. */
  injectTimed(faults: readonly Fault[]): Promise<void>
  /** Injects points, one after the other at each target; one that isn't reached is a violation. */
  injectInTurn(faults: readonly Fault[]): Promise<void>
  /** No more work; waits until everything is settled, and says what is wrong. */
  finish(): Promise<Report>
  close(): Promise<void>
}

/** Each point is reached once, however long that takes a machine with other things to do. */
const everyPointWithinMs = 60_000
/** So little that pages are held back, and that streams are swept. */
const [highWater, historyMaxBytes] = [40, 200_000]
/** Nothing new is settled for so long though everything is up: something is stuck. */
const stuckAfterMs = 60_000

export async function openCampaign(options: CampaignOptions): Promise<Campaign> {
  await ensureCompiled()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })]
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return campaignOf(options, folder, await startParts(options, folder, closers), closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

interface Parts {
  readonly bridges: readonly Armable[]
  readonly controls: readonly Armable[]
  readonly worker: Armable
  readonly postgres: Part
  readonly nats: readonly Part[]
  readonly postgresUrl: string
  readonly calls: string
  readonly auditor: Auditor
  readonly intake: Intake
}

async function startParts(options: CampaignOptions, folder: string, closers: (() => unknown)[]): Promise<Parts> {
  // As root, Postgres runs as another user, who has to get in.
  chmodSync(folder, 0o711)
  const watched = watchedIn(folder, options.say, closers)
  const own = <P extends Part>(part: P): P => {
    closers.push(() => part.close())
    return part
  }
  const [nats, postgres] = await Promise.all([
    startNats(folder, options.servers, watched),
    startPostgres(folder, options.say),
  ])
  for (const part of [...nats.parts, postgres.part]) own(part)
  const secretKey = 'a key for the faults'
  const adminToken = 'an-administrator-of-faults'
  const queues = { url: nats.url, namespace: 'faults', replicas: options.servers, secretKey }
  const control = { ...queues, postgresUrl: postgres.url, adminToken, historyMs: options.historyMs, historyMaxBytes }
  const ports = [await freePort(), await freePort()]
  const controls = ports.map((port, index) =>
    own(openScript(`control-${index + 1}`, 'control', { ...control, port }, watched)),
  )
  const recorder = {
    port: await freePort(),
    file: join(folder, 'calls.jsonl'),
    seed: options.seed,
    mischief: options.mischief,
  }
  const worker = own(openScript('worker', 'worker', recorder, watched))
  await Promise.all([...controls, worker].map((part) => part.works()))
  const urls = ports.map((port) => `http://127.0.0.1:${port}`)
  const intake = await intakeOf(urls, adminToken, `http://127.0.0.1:${recorder.port}`)
  const auditor = await openAuditor(nats.url, intake.topologyId)
  closers.push(() => auditor.close())
  const bridges = Array.from({ length: options.bridges }, (_, index) =>
    own(openScript(`bridge-${index + 1}`, 'bridge', { ...queues, highWater }, watched)),
  )
  await Promise.all(bridges.map((part) => part.works()))
  return {
    bridges,
    controls,
    worker,
    postgres: postgres.part,
    nats: nats.parts,
    postgresUrl: postgres.url,
    calls: recorder.file,
    auditor,
    intake,
  }
}

function watchedIn(folder: string, say: (line: string) => void, closers: (() => unknown)[]): Watched {
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  const guard = startGuard(folder, say)
  closers.push(() => guard.close())
  const onUnexpectedEnd = (name: string, how: string): void =>
    say(`${name} ended by itself (${how}), starting it again: ${lastLines(join(logs, `${name}.log`), 6).join(' ')}`)
  return { guard, logs, onUnexpectedEnd }
}

function campaignOf(
  options: CampaignOptions,
  folder: string,
  parts: Parts,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Campaign {
  const { say } = options
  const all = new Map(
    [...parts.bridges, ...parts.controls, parts.worker, parts.postgres, ...parts.nats].map((part) => [part.name, part]),
  )
  const find = (name: string): Part => {
    const found = all.get(name)
    if (found === undefined) throw new Error(`there is no part ${name}`)
    return found
  }
  const journal: Journal = { injected: [], violations: [] }
  const stopping = new AbortController()
  closers.push(() => stopping.abort())
  const load = parts.intake.load(() => parts.auditor.finished(), stopping.signal)
  const inject = (fault: Fault, withinMs: number): Promise<boolean> => injectOne(fault, find, withinMs, journal, say)
  return {
    targets: {
      bridges: parts.bridges.map(({ name }) => name),
      controls: parts.controls.map(({ name }) => name),
      worker: parts.worker.name,
      postgres: parts.postgres.name,
      nats: parts.nats.map(({ name }) => name),
    },
    auditor: parts.auditor,
    part: find,
    async injectTimed(faults) {
      const since = performance.now()
      const under = faults.map(async (fault) => {
        await wait(Math.max(0, fault.atMs - (performance.now() - since)))
        await inject(fault, pointWithinMs)
      })
      await Promise.all(under)
    },
    async injectInTurn(faults) {
      const hit = new Set(faults.flatMap(hitBy))
      const lines = [...hit].map(async (target) => {
        for (const fault of faults.filter((one) => hitBy(one).includes(target))) {
          await find(target).works()
          if (await inject(fault, everyPointWithinMs)) continue
          journal.violations.push({ kind: 'stray', text: `never reached: ${tellFault(fault)}` })
        }
      })
      await Promise.all(lines)
    },
    async finish() {
      stopping.abort()
      await load
      for (const part of all.values()) await part.works()
      const stuck = await untilSettled(parts, folder)
      const evidence = await evidenceOf(parts)
      return reportOf(journal, [...stuck, ...journal.violations, ...check(evidence)], evidence)
    },
    close,
  }
}

interface Journal {
  readonly injected: { readonly fault: Fault; readonly at: number }[]
  readonly violations: Violation[]
}

/** False: a point that wasn't reached. */
async function injectOne(
  fault: Fault,
  find: (name: string) => Part,
  withinMs: number,
  { injected }: Journal,
  say: (line: string) => void,
): Promise<boolean> {
  const hit = hitBy(fault).map(find)
  const down = hit.filter(({ isUp }) => !isUp).map(({ name }) => name)
  say(`${tellFault(fault)}${down.length > 0 ? ` (down already: ${down.join(', ')})` : ''}`)
  if (fault.kind === 'point') {
    const reached = await (hit[0] as Armable).dieAt(fault.point, fault.nth, withinMs)
    if (reached) injected.push({ fault, at: Date.now() })
    else say(`${tellFault(fault)}: not reached`)
    return reached
  }
  injected.push({ fault, at: Date.now() })
  for (const part of hit) part[fault.kind === 'kill' ? 'kill' : 'freeze']()
  await wait(fault.forMs)
  for (const part of hit) part[fault.kind === 'kill' ? 'start' : 'thaw']()
  return true
}

/** Resolves when every run is over, in the stream and in Postgres; with what is stuck when nothing moves any more. */
async function untilSettled({ auditor, intake, postgresUrl }: Parts, folder: string): Promise<Violation[]> {
  let movedAt = performance.now()
  let last = ''
  for (;;) {
    const rows = await rowsOf(postgresUrl).catch(() => null)
    const open = rows?.runs.filter(({ state }) => state === 'running').length ?? -1
    const finished = [auditor.finished(), open === 0 ? rows?.runs.length : -1]
    if (finished.every((count) => count === intake.accepted.size)) return []
    const now = `${intake.accepted.size} ${auditor.finished()} ${open} ${auditor.last()}`
    if (now !== last) movedAt = performance.now()
    else if (performance.now() - movedAt > stuckAfterMs) return stuckAt(now, auditor, folder)
    last = now
    await wait(200)
  }
}

/** What the servers and the parts say of themselves; which messages it is that are stuck, the checks tell. */
async function stuckAt(state: string, auditor: Auditor, folder: string): Promise<Violation[]> {
  const waiting = await auditor.waiting().catch((error: unknown) => [textOf(error)])
  const logs = readdirSync(join(folder, 'logs')).flatMap((name) => {
    const lines = readFileSync(join(folder, 'logs', name), 'utf8')
      .trimEnd()
      .split('\n')
    return lines.slice(-3).map((line) => `${name}: ${line}`)
  })
  const text = `nothing moves for ${stuckAfterMs / 1_000} s (runs, finished ones in the stream, running ones in Postgres, last sequence: ${state})`
  return [{ kind: 'lost', text: [text, ...waiting, ...logs].join('\n    ') }]
}

function lastLines(file: string, count: number): string[] {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count)
}

async function evidenceOf({ auditor, intake, postgresUrl, calls }: Parts): Promise<Evidence> {
  const rows = await rowsOf(postgresUrl)
  return {
    ...rows,
    stored: auditor.stored(),
    starts: intake.accepted,
    calls: callsIn(calls),
    names: intake.names,
    ordered: orderedNodes,
    keyed: keyedNodes,
  }
}

function reportOf({ injected }: Journal, violations: readonly Violation[], evidence: Evidence): Report {
  const { stored, starts, calls } = evidence
  const repeated = repeatedCalls(calls)
  const per = (prefix: string): number => {
    const kills = injected.filter(({ fault }) => fault.kind !== 'stop' && hitBy(fault)[0]?.startsWith(prefix))
    const after = repeated.filter(({ at }) => {
      const before = injected.filter((one) => one.at <= at).at(-1)
      return before !== undefined && kills.includes(before)
    })
    return kills.length === 0 ? 0 : after.length / kills.length
  }
  return {
    faults: injected.length,
    kills: injected.reduce((sum, { fault }) => sum + (fault.kind === 'stop' ? 0 : hitBy(fault).length), 0),
    runs: starts.size,
    messages: stored.length,
    calls: calls.length,
    repeated: { all: repeated.length, perBridgeKill: per('bridge'), perNatsKill: per('nats') },
    violations,
    evidence,
  }
}
