/** What is injected, when and where: a pure function of the seed. */
import { bridgePoints, controlPoints, workerPoints } from './parts/points.ts'
import type { Point } from './parts/points.ts'
import { randomOf, weighed } from './random.ts'

export type Fault =
  /** SIGKILL, and up again after so long. */
  | { readonly kind: 'kill'; readonly atMs: number; readonly targets: readonly string[]; readonly forMs: number }
  /** SIGSTOP, and SIGCONT after so long. */
  | { readonly kind: 'stop'; readonly atMs: number; readonly targets: readonly string[]; readonly forMs: number }
  /** The process ends itself when it comes to the point for the n-th time. */
  | {
      readonly kind: 'point'
      readonly atMs: number
      readonly target: string
      readonly point: Point
      readonly nth: number
    }

/** The parts that can be hit. */
export interface Targets {
  readonly bridges: readonly string[]
  readonly controls: readonly string[]
  readonly worker: string
  readonly postgres: string
  /** One server, or the servers of a cluster, of which only one is ever down. */
  readonly nats: readonly string[]
}

/** Every named point once, in an order of the seed, late ones last; each target takes the next one when it is back from the last. */
export function pointFaults(seed: number, { bridges, controls, worker }: Targets): Fault[] {
  const random = randomOf(seed)
  const on = (targets: readonly string[], points: readonly Point[]): Fault[] =>
    latePointsLast(shuffled(points, random)).map((point, index) => ({
      kind: 'point',
      atMs: 0,
      target: targets[index % targets.length] ?? worker,
      point,
      nth: targets === controls ? 1 : 1 + Math.floor(random() * 3),
    }))
  return [...on(bridges, bridgePoints), ...on(controls, controlPoints), ...on([worker], workerPoints)]
}

/** Every part once, in twelve seconds: a bridge stopped past its lease, NATS together with all bridges, Postgres, the worker. */
export function partFaults({ bridges, controls, worker, postgres, nats }: Targets): Fault[] {
  const [first = '', second = ''] = bridges
  return [
    { kind: 'stop', atMs: 0, targets: [first], forMs: 6_500 },
    { kind: 'kill', atMs: 500, targets: [postgres], forMs: 0 },
    { kind: 'kill', atMs: 1_500, targets: [worker], forMs: 300 },
    { kind: 'kill', atMs: 2_500, targets: nats.slice(0, 1), forMs: 500 },
    { kind: 'kill', atMs: 4_500, targets: controls.slice(0, 1), forMs: 0 },
    { kind: 'kill', atMs: 6_000, targets: [second], forMs: 300 },
    { kind: 'kill', atMs: 9_000, targets: [...nats.slice(0, 1), ...bridges], forMs: 1_500 },
  ]
}

/** As long as a point is waited for. */
export const pointWithinMs = 5_000
const meanGapMs = 1_050
/** A process that was killed isn't hit again before it may work. */
const bootMs = 2_500
/** Longer than a lease, and than the lease and the beat after it. */
const longStopMs = { from: 5_500, to: 8_500 }

/** NATS and all bridges are down together for so long, once in a campaign that lasts long enough for it. */
const outage = { forMs: 120_000, inMs: 180_000, marginMs: 20_000 }

/**
 * Faults at random for so long, and an outage among them. A target that is down or stopped by the plan isn't chosen; several may be
 * down at once.
 */
export function randomFaults(seed: number, durationMs: number, targets: Targets): Fault[] {
  const random = randomOf(seed ^ 0x5eed)
  const long = outageOf(seed, durationMs, targets)
  const busyUntil = new Map<string, number>()
  const faults: Fault[] = []
  for (let atMs = gap(random); atMs < durationMs; atMs += gap(random)) {
    const fault = draw(random, atMs, targets)
    const hit = hitBy(fault)
    // In a cluster the majority stays up; a single server may be hit with everything else.
    const held = fault.kind !== 'point' && hit.some((name) => targets.nats.includes(name)) ? targets.nats : []
    if ([...hit, ...held].some((name) => (busyUntil.get(name) ?? 0) > atMs)) continue
    const until = atMs + (fault.kind === 'point' ? pointWithinMs : fault.forMs) + (fault.kind === 'stop' ? 500 : bootMs)
    const meetsOutage = hit.some((name) => long?.targets.includes(name)) && isAround(long, atMs, until)
    if (meetsOutage) continue
    for (const name of [...hit, ...held]) busyUntil.set(name, until)
    faults.push(fault)
  }
  return long === null ? faults : [...faults, long].sort((a, b) => a.atMs - b.atMs)
}

type Kill = Extract<Fault, { kind: 'kill' }>

/** Of a cluster one server at a time is down, so it has none. */
function outageOf(seed: number, durationMs: number, { bridges, nats }: Targets): Kill | null {
  if (durationMs < outage.inMs || nats.length > 1) return null
  const latest = durationMs - outage.forMs - outage.marginMs
  const atMs = Math.round(outage.marginMs + (latest - outage.marginMs) * randomOf(seed ^ 0x0a6e)())
  return { kind: 'kill', atMs, targets: [...nats, ...bridges], forMs: outage.forMs }
}

const isAround = (long: Kill | null, from: number, until: number): boolean =>
  long !== null && from < long.atMs + long.forMs + bootMs && until > long.atMs

export const hitBy = (fault: Fault): readonly string[] => (fault.kind === 'point' ? [fault.target] : fault.targets)

/** One fault on one line, as it is printed. */
export function tellFault(fault: Fault): string {
  if (fault.kind === 'point') return `${fault.target} dies at ${fault.point} (${fault.nth})`
  const signal = fault.kind === 'kill' ? 'SIGKILL' : 'SIGSTOP'
  return `${signal} ${fault.targets.join(', ')} for ${fault.forMs} ms`
}

function gap(random: () => number): number {
  return Math.round(meanGapMs * (0.25 + 1.5 * random()))
}

/** Kinds of faults with their weights; what is picked depends on nothing but the numbers drawn. */
function draw(random: () => number, atMs: number, { bridges, controls, worker, postgres, nats }: Targets): Fault {
  const one = (names: readonly string[]): string => names[Math.floor(random() * names.length)] ?? worker
  const between = (from: number, to: number): number => Math.round(from + (to - from) * random())
  const kill = (names: readonly string[], from: number, to: number): Fault => ({
    kind: 'kill',
    atMs,
    targets: names,
    forMs: between(from, to),
  })
  const stop = (names: readonly string[]): Fault => ({
    kind: 'stop',
    atMs,
    targets: names,
    forMs: random() < 0.5 ? between(300, 3_000) : between(longStopMs.from, longStopMs.to),
  })
  const point = (target: string, points: readonly Point[], most = 8): Fault => ({
    kind: 'point',
    atMs,
    target,
    point: points[Math.floor(random() * points.length)] ?? 'after-forward',
    nth: between(1, most),
  })
  return weighed<Fault>(
    [
      [16, () => kill([one(bridges)], 0, 2_000)],
      [14, () => point(one(bridges), bridgePoints)],
      [8, () => stop([one(bridges)])],
      [8, () => kill([one(controls)], 0, 2_000)],
      [5, () => point(one(controls), controlPoints, 2)],
      [3, () => stop([one(controls)])],
      [7, () => kill([worker], 0, 1_500)],
      [3, () => point(worker, workerPoints)],
      [3, () => stop([worker])],
      [10, () => kill([one(nats)], 0, 2_500)],
      [2, () => kill([one(nats)], 6_000, 12_000)],
      [4, () => stop([one(nats)])],
      [7, () => kill([postgres], 0, 0)],
      [3, () => stop([postgres])],
      [4, () => kill([...bridges], 0, 3_000)],
      [4, () => kill([one(nats), ...bridges], 0, 8_000)],
      [2, () => kill([one(nats), ...bridges, ...controls, worker], 0, 3_000)],
    ],
    random,
  )
}

/** The sweep needs a message that is stuck, which holds up compaction; a node is only dropped when all bridges have the plan. */
export const isLate = (fault: Fault): boolean => fault.kind === 'point' && latePoints.includes(fault.point)
const latePoints: readonly Point[] = ['mid-sweep', 'before-drop']

function latePointsLast<P extends Point>(points: readonly P[]): P[] {
  return [
    ...points.filter((point) => !latePoints.includes(point)),
    ...points.filter((point) => latePoints.includes(point)),
  ]
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
