import postgres from 'postgres'

/** A client of Postgres that survives the loss of its connection. */
export interface Client {
  /** Runs `work`, one at a time. Rejects at once when the connection is lost, and after 15 s without an answer. */
  run<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>
  close(): Promise<void>
}

const answerMs = 15_000

/**
 * The driver takes over what a lost connection left behind, and may wait for ever then: so no client outlives its connection, nor
 * work that failed by anything but what `isData` says is the data's fault.
 */
export function openClient(url: string, isData: (error: unknown) => boolean): Client {
  let interrupt: (error: Error) => void = () => {}
  const connect = (): postgres.Sql => {
    const made: postgres.Sql = postgres(url, {
      max: 1,
      connect_timeout: 5,
      fetch_types: false,
      onnotice: () => {},
      onclose: () => drop(made, 'the connection to Postgres was lost'),
      connection: { application_name: 'sluiceway-cities' },
    })
    return made
  }
  let sql = connect()
  const drop = (lost: postgres.Sql, why: string): void => {
    if (lost !== sql) return
    sql = connect()
    interrupt(new Error(why))
    void lost.end({ timeout: 0 }).catch(() => undefined)
  }
  return {
    async run(work) {
      const mine = sql
      const timer = setTimeout(() => drop(mine, `no answer within ${answerMs / 1_000} s`), answerMs)
      try {
        return await new Promise((resolve, reject) => {
          interrupt = reject
          work(mine).then(resolve, reject)
        })
      } catch (error) {
        if (!isData(error)) drop(mine, 'given up')
        throw error
      } finally {
        clearTimeout(timer)
      }
    },
    close: () => sql.end({ timeout: 5 }),
  }
}
