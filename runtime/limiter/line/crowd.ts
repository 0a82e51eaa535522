import type { PermitLine } from './line.ts'

/**
 * Places of a node that are taken by messages that wait for permits of their own: never all of them, or one tenant without permits would
 * keep all others from being called. When there are too many, those come off worst of which most wait: the newest of them is put off.
 */
export class Crowd {
  readonly #lines = new Map<string, Set<PermitLine>>()

  /** One more wants to wait, where `max` may. True: it is the one to be put off. */
  enter(nodeId: string, line: PermitLine, max: number, wasAway: boolean): boolean {
    const lines = this.#lines.get(nodeId) ?? new Set()
    this.#lines.set(nodeId, lines)
    lines.add(line)
    let [total, longest] = [0, line]
    for (const one of lines) {
      const waiting = one.waitingIn(nodeId)
      if (waiting === 0 && one !== line) lines.delete(one)
      total += waiting
      if (waiting > longest.waitingIn(nodeId) + 1) longest = one
    }
    if (total < max) return false
    // Who was put off before shall not be put off again for one that is new.
    if (longest === line && !(wasAway && line.hasNew(nodeId))) return true
    longest.putOffNewest(nodeId)
    return false
  }
}
