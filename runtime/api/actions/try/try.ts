import { callWorker } from '../../../call/call.ts'
import type { Called } from '../../../call/call.ts'
import { decide } from '../../../call/decide.ts'
import type { Verdict } from '../../../call/decide.ts'
import { openInstances } from '../../../call/instances.ts'
import { requestOf } from '../../../call/request.ts'
import type { Request } from '../../../call/call.ts'
import { untried } from '../../../protocol/message.ts'
import type { Message } from '../../../protocol/message.ts'
import { signingKey } from '../../../protocol/native.ts'
import { decryptSecret } from '../../../secrets.ts'
import { addressOf } from '../../../store/queries/workers.ts'
import type { ApiDeps } from '../../deps.ts'
import { HttpProblem } from '../../problem.ts'
import type { Tried } from './node.ts'

/** What the trial's message is made of; ids and times are its own. */
export interface Captured extends Pick<
  Message,
  'body' | 'contentType' | 'headers' | 'tenant' | 'key' | 'page' | 'cursor' | 'since'
> {
  /** Name of the node that it comes from; empty for a start. */
  readonly from: string
}

export interface Trial {
  readonly message: Message
  readonly request: Request
  readonly called: Called
  readonly verdict: Verdict
}

/** So many trials at once; each may be as long as a call, and as large. */
const trialsMax = 8
let open = 0

/**
 * Calls the node's worker once with a message, through the same request and the same decision as a bridge, and forwards nothing. It
 * goes by no breaker, and none hears of it. The message has an id of its own that begins with `try-`, and so has its idempotency key:
 * what the worker does for it collides with nothing real. `cut`: who asked is gone. Throws 429 when too many are under way.
 */
export async function tryNode(
  { secretKey, log }: Pick<ApiDeps, 'secretKey' | 'log'>,
  { prepared, worker }: Tried,
  captured: Captured,
  { id, cut }: { readonly id: string; readonly cut: AbortSignal },
): Promise<Trial> {
  if (open >= trialsMax) throw new HttpProblem(429, `${trialsMax} trials are under way already`, { 'retry-after': '1' })
  open++
  const instances = await openInstances(addressOf(worker), { log, onChange: () => undefined }).catch(
    (error: unknown) => {
      open--
      throw error
    },
  )
  try {
    const message = messageOf(id, captured)
    const key = worker.secret === null ? null : signingKey(decryptSecret(secretKey, worker.secret))
    const request = requestOf(prepared, message, 1, 0, key)
    request.headers.push('sluice-try', '1')
    const called = await callWorker(instances, {
      message: id,
      isSuspect: false,
      request: () => request,
      wait: (waiting) => waiting(cut),
      mayCall: () => !cut.aborted,
      cut,
    })
    return { message, request, called, verdict: verdictOf(called, prepared, message) }
  } finally {
    open--
    await instances.close()
  }
}

function messageOf(id: string, captured: Captured): Message {
  return { ...untried, ...captured, id, run: id, created: new Date().toISOString() }
}

/** As a bridge decides on the first call of a message. */
function verdictOf({ result }: Called, { node, followers }: Tried['prepared'], message: Message): Verdict {
  const settled = result.kind === 'held' ? ({ kind: 'refused', detail: result.detail } as const) : result
  return decide(settled, {
    node,
    followers,
    message,
    attempt: 1,
    inPlaceMs: 0,
    lostInARow: 0,
    waits: 0,
    nowMs: Date.now(),
    random: Math.random,
  })
}
