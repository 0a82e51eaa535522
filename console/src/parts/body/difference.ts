/** Lines of two texts beside each other: `same` on both sides, or on one only. */
export interface DifferentLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
  /** From 1, of the side it is on; of the same ones of the second. */
  readonly before: number | null
  readonly after: number | null
}

/** Beyond it what lies between the first and the last difference is told as a whole. */
const stepsMax = 600

/** Fewest changes of lines (Myers); equal beginnings and ends cost nothing. */
export function differenceOf(before: string, after: string): DifferentLine[] {
  const a = before.split('\n')
  const b = after.split('\n')
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  const lines: DifferentLine[] = []
  const same = (i: number, j: number): void =>
    void lines.push({ kind: 'same', text: a[i] ?? '', before: i + 1, after: j + 1 })
  const removed = (i: number): void =>
    void lines.push({ kind: 'removed', text: a[i] ?? '', before: i + 1, after: null })
  const added = (j: number): void => void lines.push({ kind: 'added', text: b[j] ?? '', before: null, after: j + 1 })
  for (let i = 0; i < head; i++) same(i, i)
  let [x, y] = [head, head]
  for (const [i, j] of keptPairs(a.slice(head, a.length - tail), b.slice(head, b.length - tail))) {
    while (x < i + head) removed(x++)
    while (y < j + head) added(y++)
    same(x++, y++)
  }
  while (x < a.length - tail) removed(x++)
  while (y < b.length - tail) added(y++)
  while (x < a.length) same(x++, y++)
  return lines
}

/** Indices of the lines that stay, in order. */
function keptPairs(a: readonly string[], b: readonly string[]): [number, number][] {
  const most = Math.min(a.length + b.length, stepsMax)
  const furthest = new Map<number, number>([[1, 0]])
  const trace: Map<number, number>[] = []
  for (let d = 0; d <= most; d++) {
    trace.push(new Map(furthest))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1))
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++
      furthest.set(k, x)
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a.length, b.length)
    }
  }
  return []
}

function walkBack(trace: readonly ReadonlyMap<number, number>[], endX: number, endY: number): [number, number][] {
  const pairs: [number, number][] = []
  let [x, y] = [endX, endY]
  for (let d = trace.length - 1; d >= 0; d--) {
    const furthest = trace[d] ?? new Map<number, number>()
    const k = x - y
    const down = k === -d || (k !== d && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1))
    const fromK = down ? k + 1 : k - 1
    const fromX = d === 0 ? 0 : (furthest.get(fromK) ?? 0)
    const fromY = d === 0 ? 0 : fromX - fromK
    while (x > fromX && y > fromY) {
      x--
      y--
      pairs.push([x, y])
    }
    ;[x, y] = [fromX, fromY]
  }
  return pairs.reverse()
}

/** What is shown: changes with some lines around them; a number stands for lines that are left out. */
export function hunksOf(lines: readonly DifferentLine[], around = 3): (DifferentLine | number)[] {
  const near = new Set<number>()
  lines.forEach(({ kind }, at) => {
    if (kind !== 'same') for (let i = at - around; i <= at + around; i++) near.add(i)
  })
  const shown: (DifferentLine | number)[] = []
  lines.forEach((line, at) => {
    const last = shown.at(-1)
    if (near.has(at)) shown.push(line)
    else if (typeof last === 'number') shown[shown.length - 1] = last + 1
    else shown.push(1)
  })
  return shown
}
