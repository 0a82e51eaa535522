import { Unavailable } from '../errors.ts'
import type { Connection } from './connection.ts'
import { consequenceOf } from './trouble.ts'

export interface Pool {
  /**
   * Lends a connection to `work` alone, and waits for a free one before. Throws `Unavailable` when both together take longer than
   * `timeoutMs`, or Postgres is away.
   */
  lend<T>(timeoutMs: number, work: (connection: Connection) => Promise<T>): Promise<T>
  /** Ends all connections, those that are lent, too. */
  end(): Promise<void>
}

/**
 * At most `max` connections. One that is lost, or that may have something left to do, is not lent again but replaced. Work that fails
 * of something else has rolled back what it began, and its connection is lent on.
 */
export function openPool(open: () => Connection, max: number): Pool {
  const idle: Connection[] = []
  const waiting: ((connection: Connection) => void)[] = []
  const lent = new Set<Connection>()
  let isEnded = false

  const lendTo = (borrower: (connection: Connection) => void): void => {
    let connection = idle.pop()
    while (connection?.isLost) connection = idle.pop()
    connection ??= open()
    lent.add(connection)
    borrower(connection)
  }
  const take = (): Promise<Connection> =>
    new Promise((resolve) => (lent.size < max ? lendTo(resolve) : void waiting.push(resolve)))
  const giveBack = (connection: Connection): void => {
    lent.delete(connection)
    if (!connection.isLost) idle.push(connection)
    const next = waiting.shift()
    if (next && !isEnded) lendTo(next)
  }
  return {
    async lend(timeoutMs, work) {
      if (isEnded) throw new Unavailable('postgres', 'the way to Postgres is closed')
      const deadline = performance.now() + timeoutMs
      const taking = take()
      const connection = await answered(timeoutMs, taking).catch((error: unknown) => {
        void taking.then(giveBack)
        throw error
      })
      try {
        return await answered(deadline - performance.now(), work(connection), timeoutMs)
      } catch (error) {
        // A statement that wasn't answered may still be under way.
        if (error instanceof Unavailable && error.part === 'postgres') await connection.end()
        throw error
      } finally {
        giveBack(connection)
      }
    },
    async end() {
      isEnded = true
      await Promise.all([...idle, ...lent].map((connection) => connection.end()))
    },
  }
}

/** A frozen server or a half-open connection answers nothing at all: so every wait has an end on this side, too. */
export async function answered<T>(timeoutMs: number, work: PromiseLike<T>, ofMs = timeoutMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const text = `Postgres did not answer within ${ofMs} ms`
    timer = setTimeout(() => reject(new Unavailable('postgres', text)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    throw consequenceOf(error)
  } finally {
    clearTimeout(timer)
  }
}
