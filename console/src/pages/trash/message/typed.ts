/** What somebody typed in the editor of a message and did not save yet; gone when the page is left. */
export interface Typed {
  readonly text: string | null
  readonly contentType: string
  readonly headerText: string
  readonly reason: string
}

const kept = new Map<string, Typed>()

export function typedBefore(id: string): Typed | null {
  return kept.get(id) ?? null
}

export function keepTyped(id: string, typed: Typed): void {
  kept.set(id, typed)
}

export function dropTyped(id: string): void {
  kept.delete(id)
}
