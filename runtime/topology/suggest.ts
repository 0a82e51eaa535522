/** ` (did you mean "prefetch"?)` for a word close to one of the known ones, else nothing: to be put after a message. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const closest = closestWord(word, known)
  return closest === null ? '' : ` (did you mean "${closest}"?)`
}

function closestWord(word: string, known: Iterable<string>): string | null {
  const lower = word.slice(0, 64).toLowerCase()
  let [best, bestDistance] = [null as string | null, Math.max(2, Math.floor(lower.length / 3)) + 1]
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase())
    // Where all letters are others nothing is alike.
    if (distance < Math.min(bestDistance, candidate.length, lower.length)) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
