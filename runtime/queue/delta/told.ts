/** The words of what bridges are told of cursors and watermarks; see edits.ts and watermarks.ts. */

/** Whose watermark it is; `tenant` null: of what has none. */
export interface WatermarkPlace {
  readonly topologyId: string
  readonly nodeId: string
  readonly tenant: string | null
}

export interface CursorEdit {
  /** 1 for the first edit of a reading. */
  readonly edit: number
  /** With which the next page is asked for; null: with none, from the beginning. */
  readonly cursor: string | null
}

export interface CursorChange {
  readonly kind: 'cursor'
  readonly reading: string
  /** Null: it is over. */
  readonly edited: CursorEdit | null
}

/** An edit as it is told, and the revision of its entry. */
export interface ToldEdit extends CursorEdit {
  readonly topologyId: string
  readonly reading: string
  readonly revision: number
}

export const cursorKey = (topologyId: string, reading: string): string => `cursor.${topologyId}.${reading}`

/** @param name what follows `cursor.` in a key */
export function readCursorChange(name: string, value: unknown): CursorChange {
  return { kind: 'cursor', reading: name.slice(name.indexOf('.') + 1), edited: value as CursorEdit | null }
}
