import type { AuditEntry, Run } from '../../../client/openapi.d.ts'
import type { Column } from '../../terminal/print.ts'
import { messagesText } from '../run.ts'
import type { Row } from './kinds.ts'
import { instancesText } from '../../terminal/instances.ts'

export function columnOf(name: string): Column<Row> {
  const heading = name.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase()
  return [heading, (row) => cellOf(name, row[name])]
}

export const cellOf = (name: string, value: unknown): unknown => (cells[name] ?? same)(value)

const same = (value: unknown): unknown => value
const joined = (value: unknown): unknown => (Array.isArray(value) ? value.join(', ') : value)

/** How a value that is more than a word is shown to people. */
const cells: Readonly<Record<string, (value: unknown) => unknown>> = {
  urls: joined,
  scopes: joined,
  followers: (value) => (value as readonly { name: string }[]).map(({ name }) => name).join(', '),
  instances: (value) => instancesText(value as Parameters<typeof instancesText>[0]),
  breaker: (value) => (value as { state: string } | null)?.state ?? null,
  target: (value) => targetText(value as AuditEntry['target']),
  edit: (value) => {
    const { cursor, by, state } = value as { cursor: string | null; by: string | null; state: string }
    return `${state}: ${cursor ?? 'from the beginning'}, by ${by}`
  },
  error: (value) => (value as { title: string }).title,
  messages: (value) => messagesText(value as Run['messages']),
  limits: (value) =>
    (value as readonly { rate: number; per: string }[]).map(({ rate, per }) => `${rate}/${per}`).join(', '),
}

function targetText({ kind, id, name }: AuditEntry['target']): string {
  return `${kind} ${name ?? id}`
}
