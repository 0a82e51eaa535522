import type {
  BridgeTrouble,
  PausedLimit,
  Status,
  TopologyStatus,
  TopologyStatusAttention,
} from '../../../../runtime/client/openapi.d.ts'
import { bytes, counted } from '../../parts/show/format.ts'

/** Something that is wrong, in plain words, and what to do. */
export interface Finding {
  readonly id: string
  /** stop: nothing flows, or something is refused; look: somebody has to; wait: it mends itself. */
  readonly weight: 'stop' | 'look' | 'wait'
  readonly title: string
  /** RFC 3339: until when, said after the title. */
  readonly until?: string
  readonly detail: string | null
  readonly toDo: string
  readonly link: { readonly href: string; readonly text: string } | null
}

const weights: readonly Finding['weight'][] = ['stop', 'look', 'wait']

/** What is wrong with an engine, the worst first. Pure. */
export function findingsOf(status: Status): Finding[] {
  const { bridges, pausedLimits, topologies } = status
  const found = [
    ...ofParts(status),
    ...bridges.flatMap(({ id, host, trouble }) =>
      trouble.map((one) => ofTrouble(`bridge ${id.slice(0, 8)} on ${host}`, one)),
    ),
    ...topologies.flatMap(ofTopology),
    ...ofTotals(status),
    ...pausedLimits.map(ofLimit),
  ]
  return found.toSorted((a, b) => weights.indexOf(a.weight) - weights.indexOf(b.weight))
}

function ofParts({ nats, postgres, bridges }: Status): Finding[] {
  const all: (Finding | false)[] = [
    !postgres.connected && {
      id: 'postgres',
      weight: 'stop',
      title: 'Postgres can’t be reached',
      detail: postgres.detail,
      toDo: 'Messages that are queued go on; starts, publishes and changes are refused until it is back. Check that it runs, and its address (SLUICE_POSTGRES_URL); sluice doctor says more.',
      link: null,
    },
    !nats.connected && {
      id: 'nats',
      weight: 'stop',
      title: 'NATS can’t be reached',
      detail: nats.detail,
      toDo: 'Nothing flows until it is back; what was accepted is kept. Check that it runs with JetStream, and its address (SLUICE_NATS_URL); sluice doctor says more.',
      link: null,
    },
    nats.connected &&
      bridges.length === 0 && {
        id: 'bridges',
        weight: 'stop',
        title: 'No bridge lives',
        detail: null,
        toDo: 'No worker is called; what is started waits in its queue. Start one or more with sluice bridge.',
        link: null,
      },
  ]
  return [...all.filter((one) => one !== false), ...ofStorage(nats), ...bridges.flatMap(ofPlans)]
}

const nearlyFull = 0.9

function ofStorage({ bytes: used, limitBytes, copies, isCluster }: Status['nats']): Finding[] {
  const all: (Finding | false)[] = [
    used !== null &&
      limitBytes !== null &&
      used > limitBytes * nearlyFull && {
        id: 'storage',
        weight: 'stop',
        title: 'The storage of NATS is nearly full',
        detail: `${bytes(used)} of ${bytes(limitBytes)} are stored; from 95 % on starts are refused.`,
        toDo: 'Give the account more, or settle what waits: look at the topologies with the largest backlog.',
        link: { href: '/topologies', text: 'Topologies' },
      },
    isCluster === true &&
      copies === 1 && {
        id: 'copies',
        weight: 'look',
        title: 'NATS is a cluster, and there is one copy only of each queue',
        detail: 'When a server is away, what is in its queues waits; when its disk dies, it is lost.',
        toDo: 'Start control and bridges with --replicas 3; streams of unpublished topologies follow when they are published.',
        link: null,
      },
  ]
  return all.filter((one) => one !== false)
}

function ofPlans({ id, host, behind }: Status['bridges'][number]): Finding[] {
  if (behind === null || behind === 0) return []
  return [
    {
      id: `plans ${id}`,
      weight: 'wait',
      title: `Bridge ${id.slice(0, 8)} on ${host} goes by older plans of ${counted(behind, 'topology', 'topologies')}`,
      detail: null,
      toDo: 'It takes the new ones within moments. When it stays like that, look at its log.',
      link: null,
    },
  ]
}

function ofTrouble(who: string, { kind, worker, topology, node, nodeId, reason, yielding }: BridgeTrouble): Finding {
  const id = `${who} ${kind} ${worker ?? ''} ${nodeId ?? ''} ${reason}`
  const toWorker = worker === null ? null : { href: `/workers/${worker}`, text: `The worker ${worker}` }
  switch (kind) {
    case 'secret-key':
      return {
        ...{ id, weight: 'stop', link: null, detail: `${who}: ${reason}` },
        title: 'A bridge has another secret key than this control',
        toDo: 'Start it again with the same SLUICE_SECRET_KEY as control.',
      }
    case 'worker':
      return {
        ...{ id, link: toWorker, detail: `${who}: ${reason}`, weight: yielding ? 'wait' : 'look' },
        title: `A bridge can’t call the worker ${worker ?? ''}`,
        toDo: yielding
          ? 'Another bridge calls it meanwhile. Look whether this one can reach its addresses.'
          : 'Its messages wait, and none is lost. Look whether the worker runs, and whether its addresses are right.',
      }
    case 'limit':
      return {
        ...{ id, link: null, detail: `${who}: ${reason}`, weight: 'look' },
        title: 'A bridge can’t share a limit with the others',
        toDo: 'It goes on with its share of the rate, and mends itself when NATS keeps what it reserves. Look at the storage of NATS.',
      }
    case 'node':
      return {
        ...{ id, detail: `${who}: ${reason}`, weight: 'look' },
        title: `Most calls of ${topology ?? 'a topology'} / ${node ?? nodeId ?? 'a node'} fail`,
        toDo: 'Its messages are held back, and go on by themselves when calls work again. Look at its worker, and into Trash.',
        link: topology === null ? null : { href: `/topologies/${topology}?node=${node ?? ''}`, text: 'The node' },
      }
  }
}

function ofTopology({ id, name, attention, openTrash, history }: TopologyStatus): Finding[] {
  const heldBack = history?.heldBack ?? null
  const holder = heldBack?.node ?? null
  const at = holder === null ? '' : ` at ${holder}`
  const all: Readonly<Record<TopologyStatusAttention, Omit<Finding, 'id'> | null>> = {
    'queues-full': {
      weight: 'stop',
      title: `The queues of ${name} are full`,
      detail: history === null ? null : `They take ${bytes(history.bytes)}, and nothing of it may go.`,
      toDo: 'Starts are refused. Settle what waits: look why it does, resume or cancel; or allow more with --history-max-bytes.',
      link: { href: `/topologies/${id}`, text: name },
    },
    // The bridge that holds it back tells which node and why.
    breaker: null,
    'held-back': {
      weight: 'look',
      title: `A message of ${name} isn’t settled, and keeps older ones from being compacted`,
      detail: heldBack === null ? null : `About ${bytes(heldBack.bytes)} could go without it${at}.`,
      toDo: 'Look why it waits there: a paused node, a long delay, or a worker that is away.',
      link: { href: `/topologies/${id}${holder === null ? '' : `?node=${holder}`}`, text: name },
    },
    trash: {
      weight: 'look',
      title: `${counted(openTrash, 'message')} of ${name} ${openTrash === 1 ? 'lies' : 'lie'} open in Trash`,
      detail: null,
      toDo: 'Mend, replay or discard them; nothing is done by itself.',
      link: { href: `/trash?topology=${name}`, text: 'Trash' },
    },
  }
  return attention.flatMap((kind) => {
    const found = all[kind]
    return found === null ? [] : { id: `${id} ${kind}`, ...found }
  })
}

function ofTotals({ totals, topologies }: Status): Finding[] {
  if (totals === null) return []
  const hidden = totals.needAttention - topologies.length
  const all: (Finding | false)[] = [
    totals.outOfSync > 0 && {
      id: 'out-of-sync',
      weight: 'look',
      title: `${counted(totals.outOfSync, 'topology has', 'topologies have')} values that no bridge goes by yet`,
      detail: null,
      toDo: 'Republish them, so that what is stored is in force.',
      link: { href: '/topologies', text: 'Topologies' },
    },
    hidden > 0 && {
      id: 'more',
      weight: 'look',
      title: `${counted(hidden, 'further topology needs', 'further topologies need')} attention`,
      detail: null,
      toDo: 'Only the worst are listed here.',
      link: { href: '/topologies?show=attention', text: 'All of them' },
    },
  ]
  return all.filter((one) => one !== false)
}

function ofLimit({ service, who, topology, node, until, retryAfterMs, times }: PausedLimit): Finding {
  const of = service ?? `${topology ?? ''} / ${node ?? ''}`
  const whose = who === null ? '' : ` for ${who}`
  return {
    id: `limit ${of} ${who ?? ''}`,
    weight: 'wait',
    title: `${of} asked to wait${whose}`,
    until,
    detail: `A worker answered 429 ${retryAfterMs === null ? 'without' : 'with'} Retry-After; ${times === 1 ? 'once' : `${times} times`} since it was first told.`,
    toDo: 'Nothing has to be done: no attempt is burnt. If it happens often, declare a lower limit.',
    link: service === null ? null : { href: `/services/${service}`, text: `The service ${service}` },
  }
}
