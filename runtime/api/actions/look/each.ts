/**
 * Does work for each item, for `atOnce` of them side by side; results in the order of the items. After a failure no more is begun, and
 * it is thrown when what was under way is done.
 */
export async function eachOf<T, R>(items: readonly T[], atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const failures: unknown[] = []
  const left = items.entries()
  const run = async (): Promise<void> => {
    for (const [index, item] of left) {
      try {
        results[index] = await work(item)
      } catch (error) {
        failures.push(error)
      }
      // Before the next one is taken, so that none is left out without a word.
      if (failures.length > 0) return
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run))
  if (failures.length > 0) throw failures[0]
  return results
}
