/** Does work at most so many at once; the others wait for their turn, first come, first served. */
export type AtMost = <T>(work: () => Promise<T>) => Promise<T>

export function atMost(most: number): AtMost {
  const waiting: (() => void)[] = []
  let open = 0
  return async (work) => {
    if (open >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else open++
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) open--
      else next()
    }
  }
}
