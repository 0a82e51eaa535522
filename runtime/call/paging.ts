/** What a batch node's reply says of pages: whether there is another one, and how far the source has been read. Pure. */
import { decodeHeaderValue, opaqueHeaderValue } from '../protocol/header-values.ts'
import type { WorkerNode } from '../topology/plan.ts'
import { cursorMark } from '../protocol/reading.ts'
import { kindAsked, kindNames, kindOf, watermarkMaxBytes } from '../topology/watermarks/watermark.ts'
import type { DecideContext, Reply } from './verdict.ts'

/** Longest cursor as a header carries it: with settings and user headers a call stays under 16 KiB. */
const cursorMaxBytes = 4096
const progressMaxLength = 200

/** What makes a reply unusable; `name` becomes the problem's type `urn:sluice:<name>`. */
export interface Fault {
  readonly name: string
  readonly title: string
  readonly detail: string
}

export interface Paging {
  readonly next: string | null
  readonly watermark: string | null
  readonly progress: string | null
}

/** A node that reads no pages may not speak of them; what it says of progress is not looked at. */
export function pagingOf(headers: Reply['headers'], { node, message }: DecideContext): Paging | Fault {
  const next = headers['sluice-cursor'] || null
  const watermark = headers['sluice-watermark'] || null
  if (node.type !== 'batch') {
    if (next === null && watermark === null) return { next, watermark, progress: null }
    return malformed(`sluice-cursor and sluice-watermark are for batch nodes; node ${node.name} has type ${node.type}`)
  }
  const fault = watermarkFault(watermark, node) ?? cursorFault(next, node.maxPages, message)
  return fault ?? { next, watermark, progress: progressOf(headers['sluice-progress']) }
}

/** It is kept for long and may be typed again by a person: so it is a text that can be read, and has the node's look-back. */
function watermarkFault(watermark: string | null, { name, watermark: policy }: WorkerNode): Fault | null {
  if (watermark === null) return null
  if (opaqueHeaderValue(watermark).length > watermarkMaxBytes)
    return malformed(`sluice-watermark is longer than ${watermarkMaxBytes} bytes`)
  if (!/^[\x20-\x7e]*$/.test(watermark))
    return malformed('sluice-watermark is not printable ASCII: percent-encode what else it has to hold')
  const asked = policy ? kindAsked(policy) : null
  if (asked === null || kindOf(watermark) === asked) return null
  const key = asked === 'time' ? 'lookBackMs' : 'lookBackBy'
  return malformed(
    `sluice-watermark is "${watermark.slice(0, 80)}"; since ${name} has ${key}, expected ${kindNames[asked]}`,
  )
}

type Asking = Pick<DecideContext['message'], 'cursor' | 'mark' | 'page'>

function cursorFault(next: string | null, maxPages: number, { cursor, mark, page }: Asking): Fault | null {
  if (next === null) return null
  if (opaqueHeaderValue(next).length > cursorMaxBytes)
    return badCursor(`sluice-cursor is longer than ${cursorMaxBytes} bytes`)
  if (next === cursor)
    return badCursor(`page ${page} answered with the cursor that it was asked with: ${next.slice(0, 200)}`)
  if (mark !== null && cursorMark(next) === mark)
    return badCursor(
      `page ${page} answered with the cursor of an earlier page, so the pages go round: ${next.slice(0, 200)}`,
    )
  if (page + 1 < maxPages) return null
  const detail = `page ${page} has a next one, but maxPages of the node is ${maxPages}`
  return { name: 'too-many-pages', title: 'The run has more pages than the node may read', detail }
}

/** Only for people: one that is too long is cut, and no reason to refuse a page. */
function progressOf(header: string | undefined): string | null {
  return decodeHeaderValue(header?.trim() ?? '').slice(0, progressMaxLength) || null
}

function badCursor(detail: string): Fault {
  return { name: 'cursor', title: 'The reply has an unusable cursor', detail }
}

export function malformed(detail: string): Fault {
  return { name: 'malformed-reply', title: 'The reply is malformed', detail }
}
