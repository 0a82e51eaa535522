import { createHash } from 'node:crypto'
import type { Problem } from '../protocol/message.ts'

/**
 * Groups failures of the same kind: the node, the problem's type and status, and its title without what differs from
 * message to message (ids, numbers, dates, quoted values). 16 hex characters. Pure.
 */
export function fingerprint(nodeId: string, problem: Problem): string {
  const parts = [nodeId, problem.type, problem.status ?? '', normalisedTitle(problem.title)]
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16)
}

/** The order matters: a date is a row of numbers, and a quoted value may hold any of the others. */
const varying: readonly RegExp[] = [
  /"[^"]*"|`[^`]*`|“[^”]*”|«[^»]*»/g,
  /(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu,
  /\bhttps?:\/\/\S+/gi,
  /\b[\w.+-]+@[\w-]+\.[\w.]+\b/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?/gi,
  // A word with both letters and digits is an id, unless it is as short as `utf8`.
  /\b(?=\w*\d)(?=\w*[a-z])\w{6,}\b/gi,
  /[-+]?\d+(?:[.,:]\d+)*/g,
]

export function normalisedTitle(title: string): string {
  const cut = title.slice(0, 1_000)
  return varying
    .reduce((text, pattern) => text.replace(pattern, '#'), cut)
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim()
}
