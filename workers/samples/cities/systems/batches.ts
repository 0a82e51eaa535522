export interface Batches<Row> {
  /** Rows with the same key never share a batch: one statement can't change a row twice. */
  readonly keyOf: (row: Row) => number
  /** Writes all or nothing; batches are written one after another, rows ordered by key. */
  readonly write: (rows: readonly Row[]) => Promise<void>
  /** Whether an error is the fault of one row, so that the others of the batch can still be written. */
  readonly refusesOne: (error: unknown) => boolean
}

interface Waiting<Row> {
  readonly row: Row
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const batchMax = 200

/**
 * Makes one write out of those that are asked for at the same time: whatever comes while a batch is being written is the next
 * batch. Each caller hears of its own row: it resolves when that is written, and rejects when it isn't.
 */
export function inBatches<Row>(batches: Batches<Row>): (row: Row) => Promise<void> {
  let waiting: Waiting<Row>[] = []
  let writing = false

  const run = async () => {
    while (waiting.length > 0) {
      const { batch, rest } = take(waiting, batches.keyOf)
      waiting = rest
      await writeBatch(batch, batches)
    }
    writing = false
  }

  return (row) =>
    new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject })
      if (writing) return
      writing = true
      // Calls that arrive in the same turn of the event loop go together.
      setImmediate(() => void run())
    })
}

function take<Row>(waiting: readonly Waiting<Row>[], keyOf: Batches<Row>['keyOf']) {
  const batch = new Map<number, Waiting<Row>>()
  const rest: Waiting<Row>[] = []
  for (const one of waiting) {
    const key = keyOf(one.row)
    if (batch.size < batchMax && !batch.has(key)) batch.set(key, one)
    else rest.push(one)
  }
  // In the order of keys, so that two processes never wait for each other's rows.
  const ordered = [...batch].sort(([a], [b]) => a - b).map(([, one]) => one)
  return { batch: ordered, rest }
}

async function writeBatch<Row>(batch: readonly Waiting<Row>[], { write, refusesOne }: Batches<Row>): Promise<void> {
  try {
    await write(batch.map(({ row }) => row))
    for (const { resolve } of batch) resolve()
  } catch (error) {
    if (batch.length === 1 || !refusesOne(error)) for (const { reject } of batch) reject(error)
    else await writeSingly(batch, write)
  }
}

async function writeSingly<Row>(batch: readonly Waiting<Row>[], write: Batches<Row>['write']): Promise<void> {
  for (const { row, resolve, reject } of batch) await write([row]).then(resolve, reject)
}
