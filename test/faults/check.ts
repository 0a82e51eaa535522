/** What is wrong with the evidence: pure. Names the message, the node and the place in the stream of each fault. */
import { hopKey, originOf } from '../../runtime/queue/names.ts'
import type { RunRow, Stored, TrashRow } from './audit.ts'
import { expectedAt, expectedInTrash } from './model.ts'
import type { Item, Start } from './model.ts'
import type { CallRecord } from './parts/worker.ts'

export interface Evidence {
  /** In the stream's order. */
  readonly stored: readonly Stored[]
  /** What was accepted: run id → what was started. */
  readonly starts: ReadonlyMap<string, Start>
  readonly runs: readonly RunRow[]
  readonly trash: readonly TrashRow[]
  readonly calls: readonly CallRecord[]
  /** Node id → name. */
  readonly names: ReadonlyMap<string, string>
  /** Names of the nodes that keep order: over all their messages, or by lane. */
  readonly ordered: readonly string[]
  /** Of these, the names of those that keep it for each key. */
  readonly keyed: readonly string[]
}

export type ViolationKind = 'lost' | 'doubled' | 'order' | 'counter' | 'stray'

export interface Violation {
  readonly kind: ViolationKind
  readonly text: string
}

export function check(evidence: Evidence): Violation[] {
  const hops = hopsOf(evidence)
  return [
    ...checkOrigins(evidence),
    ...checkInputs(evidence, hops),
    ...checkReplies(evidence, hops),
    ...checkStrays(evidence, hops),
    ...checkOrder(evidence, hops),
    ...checkRecords(evidence, hops),
    ...checkCounters(evidence, hops),
    ...checkAnswers(evidence),
    ...checkSequences(evidence),
  ]
}

/** An input with what its hop settled as. */
interface Hop {
  readonly input: Stored
  readonly node: string
  readonly origin: string
  readonly settlement: Stored | null
}

interface Hops {
  readonly all: readonly Hop[]
  /** What was published below an origin first: by a hop, a split or a start. */
  readonly byOrigin: ReadonlyMap<string, Stored>
}

function hopsOf({ stored, names }: Evidence): Hops {
  const byOrigin = new Map<string, Stored>()
  for (const one of stored) if (!byOrigin.has(one.origin)) byOrigin.set(one.origin, one)
  const all = stored.flatMap((input) => {
    if (input.message === null) return []
    const origin = originOf(hopKey(input.message, input.nodeId))
    const node = names.get(input.nodeId) ?? input.nodeId
    return [{ input, node, origin, settlement: byOrigin.get(origin) ?? null }]
  })
  return { all, byOrigin }
}

const tell = (node: string, { message, sequence }: Stored): string =>
  `message ${message?.id}${message?.page ? `#${message.page}` : ''} at ${node} (sequence ${sequence}, run ${message?.run})`

/** I2: below each origin stands one message; a schedule may be armed again, and what it fires stands beside it. */
function checkOrigins({ stored }: Evidence): Violation[] {
  const seen = new Map<string, Stored>()
  const violations: Violation[] = []
  for (const one of stored) {
    const first = seen.get(one.origin)
    if (first === undefined) seen.set(one.origin, one)
    else if (!one.isFired && !(one.kind === 'later' && first.kind === 'later')) {
      const text = `settled twice: origin ${one.origin} has ${first.kind} at ${first.sequence} and ${one.kind} at ${one.sequence}`
      violations.push({ kind: 'doubled', text })
    }
  }
  return violations
}

/** Every input is settled, and there is one of each. */
function checkInputs(_: Evidence, { all }: Hops): Violation[] {
  const violations: Violation[] = []
  const seen = new Map<string, Stored>()
  for (const { input, node, origin, settlement } of all) {
    if (settlement === null) violations.push({ kind: 'lost', text: `never settled: ${tell(node, input)}` })
    const first = seen.get(origin)
    // A schedule may fire twice around a crash of the server: the hop settles once all the same.
    if (first !== undefined && !input.isFired && !first.isFired)
      violations.push({ kind: 'doubled', text: `${tell(node, input)} is there already at ${first.sequence}` })
    seen.set(origin, first ?? input)
  }
  return violations
}

/** Keys of everything that a stored reply must have been split into. */
function partsOf({ reply }: Stored, record: Stored | undefined): string[] {
  if (reply === null) return []
  const delta = record?.record?.kind === 'split' ? record.record.delta : 0
  const messages = delta + 1 - (reply.next ? 1 : 0)
  const keys = Array.from({ length: messages }, (_, k) => `${reply.hopKey}/${k}`)
  return [`${reply.hopKey}/ledger`, ...keys, ...(reply.next ? [`${reply.hopKey}/next`] : [])]
}

/** I3: every stored reply is split into all of its parts, the record of it before the rest. */
function checkReplies({ stored }: Evidence, { byOrigin }: Hops): Violation[] {
  return stored.flatMap((one) => {
    if (one.reply === null) return []
    const { hopKey: key } = one.reply
    const record = byOrigin.get(originOf(`${key}/ledger`))
    return partsOf(one, record).flatMap((part): Violation[] => {
      const found = byOrigin.get(originOf(part))
      if (found === undefined)
        return [{ kind: 'lost', text: `the reply at ${one.sequence} was never split into ${part}` }]
      if (record === undefined || found.sequence >= record.sequence) return []
      return [
        { kind: 'counter', text: `${part} at ${found.sequence} is before its ledger record at ${record.sequence}` },
      ]
    })
  })
}

/** Everything that is stored comes from something. */
function checkStrays({ stored }: Evidence, { all, byOrigin }: Hops): Violation[] {
  const known = new Set(all.map(({ origin }) => origin))
  for (const one of stored) {
    if (one.kind === 'event') known.add(one.origin)
    const record = one.reply === null ? undefined : byOrigin.get(originOf(`${one.reply.hopKey}/ledger`))
    for (const part of partsOf(one, record)) known.add(originOf(part))
  }
  return stored.flatMap(({ origin, kind, sequence }) =>
    known.has(origin) ? [] : [{ kind: 'stray', text: `${kind} at ${sequence} comes from nothing that is stored` }],
  )
}

/** I5: what came first settles first, at each ordered node, in each lane. */
function checkOrder({ ordered }: Evidence, { all }: Hops): Violation[] {
  const last = new Map<string, Hop>()
  return all.flatMap((hop): Violation[] => {
    if (!ordered.includes(hop.node) || hop.settlement === null || hop.input.kind === 'event') return []
    const lane = `${hop.node} ${hop.input.lane}`
    const before = last.get(lane)
    const isLate = before !== undefined && (before.settlement?.sequence ?? 0) > hop.settlement.sequence
    if (isLate)
      return [{ kind: 'order', text: `${tell(hop.node, hop.input)} settled before ${tell(hop.node, before.input)}` }]
    last.set(lane, hop)
    return []
  })
}

/** The records of each start, by what the topology is for: each at each node, once, in order where it is ordered. */
function checkRecords({ starts, ordered, keyed }: Evidence, { all }: Hops): Violation[] {
  const arrivals = new Map<string, Item[]>()
  for (const { input, node } of all) {
    if (input.kind === 'event' || node === 'pages' || input.isFired) continue
    const place = `${input.run} ${node}`
    const items = arrivals.get(place) ?? []
    items.push(JSON.parse(input.body) as Item)
    arrivals.set(place, items)
  }
  return [...starts].flatMap(([run, start]) => {
    const expected = expectedAt(start)
    const plain = [...expected].flatMap(([node, wanted]) => {
      const items = arrivals.get(`${run} ${node}`) ?? []
      const where = `run ${run} at ${node}`
      return [...compare(where, wanted, items), ...inOrder(where, items, ordered.includes(node), keyed.includes(node))]
    })
    const leaves = arrivals.get(`${run} leaf`) ?? []
    const where = `run ${run} at leaf`
    return [...plain, ...checkParts(where, expected.get('fan') ?? [], leaves), ...inOrder(where, leaves, true, false)]
  })
}

function compare(where: string, wanted: readonly number[], items: readonly Item[]): Violation[] {
  const found = items.map(({ n }) => n)
  const count = (list: readonly number[], n: number): number => list.filter((other) => other === n).length
  return [...new Set([...wanted, ...found])].flatMap((n): Violation[] => {
    const excess = count(found, n) - count(wanted, n)
    if (excess === 0) return []
    const text = `record ${n} of ${where}: ${Math.abs(excess)} too ${excess > 0 ? 'many' : 'few'}`
    return [{ kind: excess > 0 ? 'doubled' : 'lost', text }]
  })
}

/** Records of one run never go backwards at an ordered node, records of one key at a keyed one. */
function inOrder(where: string, items: readonly Item[], isOrdered: boolean, isKeyed: boolean): Violation[] {
  if (!isOrdered) return []
  const lines = isKeyed ? [...new Set(items.map(({ key }) => key))] : [null]
  return lines.flatMap((key): Violation[] => {
    const found = items.filter((item) => key === null || item.key === key).map(({ n }) => n)
    const isSorted = found.every((n, index) => index === 0 || n >= (found[index - 1] ?? 0))
    return isSorted ? [] : [{ kind: 'order', text: `${where}${key === null ? '' : `, ${key}`}: ${found.join(' ')}` }]
  })
}

/** Of `fan`, which answers differently each time, one answer settled for each record: all of its parts and no other's. */
function checkParts(where: string, wanted: readonly number[], items: readonly Item[]): Violation[] {
  return wanted.flatMap((n): Violation[] => {
    const parts = items.filter((item) => item.n === n)
    const [first] = parts
    if (first?.of === undefined) return [{ kind: 'lost', text: `record ${n} of ${where} has no parts` }]
    if (parts.some(({ by }) => by !== first.by))
      return [
        {
          kind: 'doubled',
          text: `record ${n} of ${where} has parts of ${new Set(parts.map(({ by }) => by)).size} answers`,
        },
      ]
    if (parts.length === first.of && parts.every(({ part }, index) => part === index)) return []
    const kind = parts.length > first.of ? 'doubled' : parts.length < first.of ? 'lost' : 'order'
    return [
      { kind, text: `record ${n} of ${where} has parts ${parts.map(({ part }) => part).join(' ')} of ${first.of}` },
    ]
  })
}

/** I6: what Postgres says of each run is what the stream holds of it, and Trash holds what failed, once each. */
function checkCounters({ starts, runs, trash, stored }: Evidence, { all }: Hops): Violation[] {
  const violations: Violation[] = []
  const wrong = (text: string): void => void violations.push({ kind: 'counter', text })
  const rows = new Map(runs.map((row) => [row.id, row]))
  const truth = new Map([...starts.keys()].map((run) => [run, { done: 0, failed: 0 }]))
  for (const { run, kind, record } of stored) {
    const counts = truth.get(run)
    if (counts === undefined) wrong(`${kind} of run ${run}, which was never started`)
    else if (kind === 'trash') counts.failed++
    else if (record?.kind === 'ended') counts.done++
  }
  for (const [run, start] of starts) {
    const { done, failed } = truth.get(run) ?? { done: 0, failed: 0 }
    const expected = { id: run, state: failed > 0 ? 'failed' : 'finished', done, failed, inProgress: 0 }
    const row = rows.get(run)
    if (JSON.stringify(row) !== JSON.stringify(expected))
      wrong(`run ${run} is ${JSON.stringify(row)}, not ${JSON.stringify(expected)}`)
    if (failed !== expectedInTrash(start))
      wrong(`run ${run} has ${failed} messages in Trash, not ${expectedInTrash(start)}`)
  }
  if (runs.length !== starts.size) wrong(`${runs.length} runs for ${starts.size} starts`)
  const failures = all.filter(({ settlement }) => settlement?.kind === 'trash')
  const known = new Set(trash.map(({ id }) => id))
  for (const { origin, node, input } of failures) if (!known.has(origin)) wrong(`not in Trash: ${tell(node, input)}`)
  if (trash.length !== new Set(failures.map(({ origin }) => origin)).size)
    wrong(`${trash.length} rows in Trash for ${failures.length} failures`)
  return violations
}

/** What settled was answered: each message names the call that made it. */
function checkAnswers({ stored, calls }: Evidence): Violation[] {
  const answered = new Map(calls.map((call) => [call.call, call.node]))
  return stored.flatMap(({ message, body, sequence }): Violation[] => {
    if (message === null || message.from === '') return []
    const { by } = JSON.parse(body) as Item
    if (by === undefined || answered.has(by)) return []
    return [{ kind: 'stray', text: `message ${message.id} at ${sequence} is of call ${by}, which nobody made` }]
  })
}

/** The audit saw every message but schedules that had fired before it came to them. */
function checkSequences({ stored }: Evidence): Violation[] {
  const first = stored[0]?.sequence ?? 1
  const gaps = (stored.at(-1)?.sequence ?? 0) - first + 1 - stored.length
  const schedules = new Set(stored.filter(({ kind }) => kind === 'later').map(({ origin }) => origin))
  const unseen = new Set(
    stored.filter(({ isFired, origin }) => isFired && !schedules.has(origin)).map(({ origin }) => origin),
  )
  if (first === 1 && gaps <= unseen.size) return []
  return [
    {
      kind: 'lost',
      text: `${gaps} messages left the stream unseen from ${first} on, ${unseen.size} of them schedules that fired`,
    },
  ]
}

/** Calls that were made again under the same number: by who took over. Those that were told to wait are no such calls. */
export function repeatedCalls(calls: readonly CallRecord[]): CallRecord[] {
  const last = new Map<string, string>()
  return calls.filter(({ key, attempt, answer }) => {
    const which = `${key}/${attempt}`
    const before = last.get(which)
    last.set(which, answer)
    return before !== undefined && before !== '429' && before !== '503'
  })
}
