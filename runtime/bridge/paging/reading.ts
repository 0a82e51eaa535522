import { setTimeout as pause } from 'node:timers/promises'
import { Stopped } from '../../errors.ts'
import type { Message, Since } from '../../protocol/message.ts'
import { readingOf } from '../../protocol/reading.ts'
import type { CursorChange, CursorEdit } from '../../queue/delta/told.ts'
import { watermarkAt } from '../../queue/delta/watermarks.ts'
import type { Queues } from '../../queue/open.ts'
import type { WorkerNode } from '../../topology/plan.ts'
import { lessLookBack } from '../../topology/watermarks/watermark.ts'

/**
 * With what a batch node asks for a page.
 *
 * - A cursor that a person has edited takes the place of the message's own at the next call, whatever page that is for, once: the page
 *   keeps its number, and so the ids of its records are nobody else's. Pages go on from there.
 * - What page 0 is asked with as the watermark is asked of the bucket's leader once, and travels with the message from then on: through
 *   all pages, delays, replays and bridges.
 */
export interface Reading {
  set(change: CursorChange): void
  /** The message as it is to be asked for now. Rejects with `Stopped` when the signal aborts. */
  asked(message: Message, place: ReadingPlace, signal: AbortSignal): Promise<Message>
}

interface ReadingPlace {
  readonly topologyId: string
  readonly node: WorkerNode
}

const retryMs = 200

export function openReading(queues: Pick<Queues, 'config' | 'connection'>): Reading {
  const edits = new Map<string, CursorEdit>()
  const since = async (place: ReadingPlace, { tenant, reconcile }: Message, signal: AbortSignal): Promise<Since> => {
    while (!signal.aborted) {
      try {
        const { topologyId, node } = place
        return handed(await watermarkAt(queues, { topologyId, nodeId: node.id, tenant }), node, reconcile)
      } catch {
        await queues.connection.whenConnected(signal).catch(() => undefined)
        await pause(retryMs, undefined, { signal }).catch(() => undefined)
      }
    }
    throw new Stopped('stopped while asking for a watermark')
  }
  return {
    set({ reading, edited }) {
      if (edited === null) edits.delete(reading)
      else if (edited.edit >= (edits.get(reading)?.edit ?? 0)) edits.set(reading, edited)
    },
    async asked(message, place, signal) {
      const edited = edits.size === 0 ? message : withEdit(message, edits.get(readingOf(place.node.id, message.id)))
      const { watermark } = place.node
      if (edited.page > 0 || edited.since !== null || !watermark) return edited
      return { ...edited, since: await since(place, edited, signal) }
    },
  }
}

/** Cursors that were asked for before the edit may come again. */
function withEdit(message: Message, edited: CursorEdit | undefined): Message {
  if (edited === undefined || edited.edit <= message.edit) return message
  return { ...message, ...edited, mark: null }
}

/** A run that reads everything again is handed nothing, but counts as begun by now. */
function handed({ watermark, epoch }: Since, { watermark: policy }: WorkerNode, reconcile: boolean): Since {
  if (reconcile || !policy) return { watermark: null, epoch }
  return { watermark: watermark === null ? policy.initial : lessLookBack(watermark, policy), epoch }
}
