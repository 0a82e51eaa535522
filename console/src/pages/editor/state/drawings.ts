/**
 * What is drawn and not saved, beside the page that shows it: a login that ends takes the page away, and whoever logs in again gets it back.
 * In memory only, and only for the one who drew it.
 */
import { isChanged } from './state.ts'
import type { EditorState } from './state.ts'

export interface KeptDrawing {
  readonly state: EditorState
  /** Of the draft that it was begun on. */
  readonly etag: string | null
}

export interface Drawings {
  readonly find: (topology: string) => KeptDrawing | null
  /** What says the same as what is saved needn't be kept. */
  readonly keep: (topology: string, drawing: KeptDrawing) => void
  readonly forget: (topology: string) => void
}

const kept = new Map<string, KeptDrawing>()

/** Those of one token, whichever login it is; null: the admin token of the options. */
export function drawingsOf(tokenId: string | null): Drawings {
  const at = (topology: string): string => `${tokenId ?? 'admin'} ${topology}`
  return {
    find: (topology) => kept.get(at(topology)) ?? null,
    keep(topology, drawing) {
      if (isChanged(drawing.state)) kept.set(at(topology), drawing)
      else kept.delete(at(topology))
    },
    forget: (topology) => void kept.delete(at(topology)),
  }
}
