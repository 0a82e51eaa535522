/** The parts of an engine's status, each in a few words. */
import type { Status } from '../../../client/openapi.d.ts'
import { grouped } from '../../terminal/print.ts'

export function natsText({ connected, detail, version, streams, bytes }: Status['nats']): string {
  const size = bytes === null ? null : `${grouped(bytes / 1_048_576)} MB`
  return joined(connected ? 'connected' : 'away', [
    version,
    streams === null ? null : `${streams} streams`,
    size,
    detail,
  ])
}

export function postgresText({ connected, detail }: Status['postgres']): string {
  return joined(connected ? 'connected' : 'away', [detail])
}

/** Of all topologies; null: Postgres is away. */
export function totalsText(totals: Status['totals']): string {
  if (totals === null) return 'not known'
  const { published, openTrash, ...others } = totals
  const words = { disabled: 'disabled', paused: 'paused', outOfSync: 'out of sync', needAttention: 'need attention' }
  const some = Object.entries(words).flatMap(([key, word]) => {
    const count = others[key as keyof typeof words]
    return count === 0 ? [] : [`${grouped(count)} ${word}`]
  })
  return [`${grouped(published)} published`, ...some, `${grouped(openTrash)} messages in Trash`].join(', ')
}

/** Which there are, with what keeps each from its work. */
export function bridgesText(bridges: Status['bridges']): string {
  if (bridges.length === 0) return 'none'
  const text = ({ host, pid, rssBytes, trouble }: Status['bridges'][number]) =>
    joined(`${host} (pid ${pid}, ${grouped(rssBytes / 1_048_576)} MB)`, trouble.map(troubleText))
  return bridges.map(text).join('; ')
}

function troubleText({ kind, worker, topology, node, reason }: Status['bridges'][number]['trouble'][number]): string {
  const what = node === null ? worker : `${topology}/${node}`
  return `${kind}${what === null ? '' : ` ${what}`}: ${reason}`
}

/** What isn't called now, since a worker answered 429. */
export function pausedLimitsText(paused: Status['pausedLimits']): string {
  if (paused.length === 0) return 'none'
  const whose = ({ service, who, topology, node, nodeId }: Status['pausedLimits'][number]): string => {
    if (service === null) return node === null ? `node ${nodeId ?? '?'}` : `${topology}/${node}`
    return who === null ? service : `${service} (${who})`
  }
  return paused.map((one) => `${whose(one)} until ${one.until}`).join('; ')
}

function joined(first: string, more: readonly (string | null)[]): string {
  return [first, ...more.filter((text) => text !== null)].join(', ')
}
