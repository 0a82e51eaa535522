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

const month = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*'

/** The order matters: a date is a row of numbers, and a quoted value may hold any of the others. */
const varying: readonly RegExp[] = [
  /"[^"]*"|`[^`]*`|“[^”]*”|„[^“”]*[“”]|«[^»]*»|‘[^’]*’/g,
  /(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu,
  /\bhttps?:\/\/\S+/gi,
  /\b[\w.+-]+@[\w-]+\.[\w.]+\b/g,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?/gi,
  // Of HTTP, of mail and of people: `Sun, 01 Mar 2026`, `1. March 2026`, `Mar 1, 2026`; and times of day.
  new RegExp(
    `\\b(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(?:\\d{1,2}\\.? ${month}|${month} \\d{1,2},?) \\d{4}\\b`,
    'gi',
  ),
  /(?<![\w.:])\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\b/g,
  /\b0x[0-9a-f]+\b/gi,
  // IPv6.
  /(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])/gi,
  // A word with both letters and digits is an id, unless it is as short as `utf8`.
  /\b(?=\w*\d)(?=\w*[a-z])\w{6,}\b/gi,
  /[-+]?\d+(?:[.,:]\d+)*/g,
]

/** So much of a title is looked at. What is quoted where it is cut off is left out: how much of it is there differs, too. */
const titleMax = 1_000

export function normalisedTitle(title: string): string {
  const cut = title.length <= titleMax ? title : title.slice(0, titleMax).replace(/["`“„«‘][^"`”“»’]*$/, '#')
  return varying
    .reduce((text, pattern) => text.replace(pattern, '#'), cut)
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .trim()
}
