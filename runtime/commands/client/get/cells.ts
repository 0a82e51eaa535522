import type { AuditEntry, CronNode, Node, Run, ServiceLimit, Status } from '../../../client/openapi.d.ts'
import type { Column } from '../../terminal/print.ts'
import { messagesText } from '../run.ts'
import type { Row } from './kinds.ts'
import { bridgesText, natsText, pausedLimitsText, postgresText, totalsText } from './status.ts'
import { limitsText } from '../../terminal/limits.ts'
import { instancesText } from '../../terminal/instances.ts'

export function columnOf(name: string): Column<Row> {
  const heading = name.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase()
  return [heading, (row) => cellOf(name, row)]
}

export const cellOf = (name: string, row: Row): unknown => (cells[name] ?? same)(row[name], row)

const same = (value: unknown): unknown => value
const joined = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') : value)

/** How a value that is more than a word is shown to people. */
const cells: Readonly<Record<string, (value: unknown, row: Row) => unknown>> = {
  state: (value, { cancelRequestedAt }) => (value === 'running' && cancelRequestedAt ? 'cancelling' : value),
  urls: joined,
  scopes: joined,
  followers: (value) => (value as readonly { name: string }[]).map(({ name }) => name).join(', '),
  instances: (value) => instancesText(value as Parameters<typeof instancesText>[0]),
  breaker: (value) => (value as { state: string } | null)?.state ?? null,
  firing: (value) => (value as Node['firing'])?.nextAt ?? null,
  lastSkipped: (value) => skippedText(value as CronNode['lastSkipped']),
  target: (value) => targetText(value as AuditEntry['target']),
  edit: (value) => {
    const { cursor, by, state } = value as { cursor: string | null; by: string | null; state: string }
    return `${state}: ${cursor ?? 'from the beginning'}, by ${by}`
  },
  error: (value) => (value as { title: string }).title,
  messages: (value) => messagesText(value as Run['messages']),
  nats: (value) => natsText(value as Status['nats']),
  postgres: (value) => postgresText(value as Status['postgres']),
  bridges: (value) => bridgesText(value as Status['bridges']),
  pausedLimits: (value) => pausedLimitsText(value as Status['pausedLimits']),
  totals: (value) => totalsText(value as Status['totals']),
  topologies: (value) => (Array.isArray(value) ? `${value.length}: see \`sluice get topologies\`` : value),
  limits: (value) => limitsText(value as readonly ServiceLimit[]),
  inFlightScope: (value, { maxInFlight }) => (maxInFlight === null ? null : value),
}

function skippedText(skipped: CronNode['lastSkipped']): string | null {
  return skipped && `${skipped.at}: ${skipped.reason}`
}

function targetText({ kind, id, name }: AuditEntry['target']): string {
  return `${kind} ${name ?? id}`
}
