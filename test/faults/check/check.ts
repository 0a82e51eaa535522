/** What is wrong with the evidence: pure. Names the message, the node and the place in the stream of each fault. */
import { originOf } from '../../../runtime/queue/names.ts'
import type { Stored } from './stored.ts'
import type { Item } from '../model.ts'
import { checkCalls } from './calls.ts'
import { checkCounters, checkOver } from './counters.ts'
import { hopsOf, tell } from './evidence.ts'
import type { Evidence, Hop, Hops, Violation } from './evidence.ts'
import { checkRecords } from './records.ts'

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
    ...checkOver(evidence),
    ...checkAnswers(evidence),
    ...checkSequences(evidence),
    ...checkCalls(evidence),
  ]
}

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

/** Keys of everything that a stored reply must have been split into: of one that was cancelled there is a record only. */
function partsOf({ reply }: Stored, record: Stored | undefined): string[] {
  if (reply === null) return []
  if (record?.record?.kind === 'ended' && record.record.cancelled) return [`${reply.hopKey}/ledger`]
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
    // A replay comes from a row in Trash, which is named after the hop that failed.
    const isReplay = byOrigin.get(one.reply?.trashId ?? '')?.kind === 'trash'
    if (one.kind === 'event' || isReplay) known.add(one.origin)
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
