import type { MessageError } from '../../api/engine.ts'

/** An error in plain words: what happened, and what usually mends it. */
export interface Explained {
  /** What was wrong, as whoever knows it best says it. */
  readonly what: string
  /** Who says so, and why it was not tried any more. */
  readonly why: string
  readonly mend: string
}

const own = 'urn:sluice:'

const ofEngine: Readonly<Record<string, readonly [why: string, mend: string]>> = {
  timeout: [
    'The worker was called and did not answer in time, each time.',
    'See whether the worker or what it calls is slow. When it is well again, replay; a longer time-out is set at the node.',
  ],
  'connection-lost': [
    'The connection broke after the request was sent: nobody knows whether the worker did its work.',
    'See whether the worker restarted. A replay is called with the same idempotency key, so a worker that heeds it does nothing twice.',
  ],
  'worker-crash': [
    'The worker’s process died each time it was given this message, also when it got it alone.',
    'Look at the worker’s log for what this message does to it. Mend the worker, or edit the message, then replay.',
  ],
  'bad-reply': ['What the worker sent was no whole HTTP reply.', 'Mend the worker, then replay.'],
  'reply-too-large': [
    'The worker’s reply was over 8 MiB.',
    'Let the worker answer less, or in pages as a batch node does, then replay.',
  ],
  'too-large': [
    'What follows from the message is too large to be stored.',
    'Let the worker answer less at once, then replay.',
  ],
  'no-record': [
    'This part of the body that the run was started with could not be read as a record.',
    'Edit it so that it is one, then replay; the other records of the body went on.',
  ],
  'node-removed': [
    'The node was taken out of the topology while the message was on its way to it.',
    'Replay it at another node of the topology, or discard it.',
  ],
  'connection-refused': ['No instance of the worker took the request.', 'See on Workers whether it runs, then replay.'],
}

export function explain(error: MessageError, node: string, attempts: number): Explained {
  const what = error.title
  const tried = attempts > 1 ? `, and after ${attempts} attempts it was given up` : ''
  if (error.type.startsWith(own) && error.type !== `${own}http-status`) {
    const [why, mend] = ofEngine[error.type.slice(own.length)] ?? [
      `The engine gave the message up at “${node}”.`,
      'Mend the cause, then replay.',
    ]
    return { what, why, mend }
  }
  return { what, ...byStatus(error.status ?? 0, node, tried) }
}

function byStatus(status: number, node: string, tried: string): Pick<Explained, 'why' | 'mend'> {
  if (status === 404 || status === 410)
    return {
      why: `The worker of “${node}” says that what the message is about isn’t there (${status})${tried}.`,
      mend: 'If it should be there, mend that and replay. If it is gone for good, discard the message.',
    }
  if (status === 401 || status === 403)
    return {
      why: `The worker of “${node}” was not allowed to do it (${status})${tried}.`,
      mend: 'Mend its credentials, then replay; the messages themselves are likely in order.',
    }
  if (status >= 500)
    return {
      why: `The worker of “${node}”, or what it calls, failed by itself (${status})${tried}.`,
      mend: 'The message is likely in order: when the other side works again, replay it as it is.',
    }
  if (status >= 400)
    return {
      why: `The worker of “${node}” refused this message (${status})${tried || ': sent again as it is, it would be refused again'}.`,
      mend: 'See what it says of the body. Edit the message, or mend the worker, then replay.',
    }
  return { why: `The worker of “${node}” gave the message up${tried}.`, mend: 'Mend the cause, then replay.' }
}

/** Without the sentence that the engine puts before what the worker said. */
export function detailOf({ detail = '' }: MessageError): { readonly limit: string | null; readonly said: string } {
  const [, limit = null] = /^Not tried again: (.+?)\.(?: |$)/s.exec(detail) ?? []
  return { limit, said: limit === null ? detail : detail.slice(`Not tried again: ${limit}.`.length).trim() }
}
