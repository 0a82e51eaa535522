/** Of things that are asked for in a row the newest counts, in whichever order the answers come. */
interface Newest {
  /** Null: something else was asked for meanwhile. */
  <T>(answer: Promise<T>): Promise<{ readonly value: T } | null>
  /** What is under way doesn't count any more. */
  drop(): void
}

export function openNewest(): Newest {
  let turn = 0
  const newest = async <T>(answer: Promise<T>): Promise<{ readonly value: T } | null> => {
    const own = ++turn
    const value = await answer.catch((error: unknown) => {
      if (own === turn) throw error
      return null
    })
    return own === turn ? { value: value as T } : null
  }
  return Object.assign(newest, { drop: () => void turn++ })
}
