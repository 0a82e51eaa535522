import { Invalid } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import { lf } from '../../../protocol/bytes.ts'
import { BrokenBody } from '../../../protocol/records/entry.ts'
import { Parts } from '../../../protocol/records/parts.ts'
import type { Part } from '../../../protocol/records/parts.ts'
import { listNodes } from '../../../store/queries/nodes.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { insertImported } from '../../../store/trash/imported.ts'
import type { Imported, ImportRun } from '../../../store/trash/imported.ts'
import { ofRun } from '../../access/targets.ts'
import type { Changing } from '../../deps.ts'
import { bytesOf, readLine } from './line.ts'
import type { ReadLine } from './line.ts'

export interface LineFault {
  readonly line: number
  readonly path: string
  readonly message: string
}

export interface ImportResult {
  /** Of what was imported; null: nothing was. */
  readonly runId: string | null
  readonly imported: number
  /** Whose id was in Trash already. */
  readonly known: number
  /** That were settled where they come from. */
  readonly settled: number
  readonly faults: number
  /** The first of them. */
  readonly errors: readonly LineFault[]
}

/** A row of 8 MiB as an export writes it, with a few edits. */
const lineMaxBytes = 64 * 1024 * 1024
const batch = { rows: 500, bytes: 8 * 1024 * 1024 }
const errorsMax = 50

/**
 * Takes rows of Trash in, line by line, as open ones of a topology, into a run of their own. Each batch is written whole; what is broken
 * off may be sent again, since an id that is there is left as it is. A line that can't be read is told, and the rest goes on.
 */
export async function importTrash(
  deps: Changing,
  topology: Topology,
  next: () => Promise<Uint8Array | null>,
): Promise<ImportResult> {
  const importing = new Importing(deps, topology, await nodesByName(deps, topology))
  try {
    for await (const { line, raw, isTooLarge } of partsOf(next)) {
      const read = isTooLarge ? { path: '', message: `is longer than ${lineMaxBytes} bytes` } : readLine(raw)
      await importing.take(line, read)
    }
    return await importing.end()
  } finally {
    await importing.settled()
  }
}

async function* partsOf(next: () => Promise<Uint8Array | null>): AsyncGenerator<Part> {
  const lines = new Parts(lf, lineMaxBytes)
  try {
    for (let piece = await next(); piece !== null; piece = await next()) yield* lines.push(piece)
    yield* lines.end()
  } catch (error) {
    if (!(error instanceof BrokenBody)) throw error
    throw new Invalid(error.message, [{ path: '', message: error.message }], { cause: error })
  }
}

async function nodesByName({ store }: Changing, { id }: Topology): Promise<ReadonlyMap<string, string>> {
  return new Map((await listNodes(store, id, true)).map((node) => [node.name, node.id]))
}

class Importing {
  readonly #deps: Changing
  readonly #topology: Topology
  readonly #nodes: ReadonlyMap<string, string>
  readonly #run: ImportRun
  readonly #counts = { imported: 0, known: 0, settled: 0, faults: 0 }
  readonly #errors: LineFault[] = []
  readonly #added: Record<string, number> = {}
  /**
   * The replays that messages have behind them, and what their ids end with, after the id of their row: never the same for two rows, be it of
   * one message, nor for two imports, so that no hop of an imported message was settled before, whatever was here under its id (I2).
   */
  readonly #mark = Math.floor(Date.now() / 1000)
  #waiting: Imported[] = []
  #bytes = 0
  /** A batch, while the next one is read. */
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: Changing, topology: Topology, nodes: ReadonlyMap<string, string>) {
    this.#deps = deps
    this.#topology = topology
    this.#nodes = nodes
    this.#run = { id: newId(), topologyId: topology.id, topologyName: topology.name }
  }

  async take(line: number, read: ReturnType<typeof readLine>): Promise<void> {
    if (!('id' in read)) return this.#refuse({ line, ...read })
    if (read.state !== 'open') return void (this.#counts.settled += 1)
    const nodeId = this.#nodes.get(read.node)
    if (nodeId === undefined) {
      const message = `the topology "${this.#topology.name}" has no node "${read.node}"`
      return this.#refuse({ line, path: 'node', message })
    }
    const imported = this.#imported(read, nodeId)
    this.#waiting.push(imported)
    this.#bytes += [imported.trashed, ...imported.versions].reduce((sum, { body }) => sum + body.byteLength, 0)
    if (this.#waiting.length >= batch.rows || this.#bytes >= batch.bytes) await this.#flush()
  }

  #refuse(fault: LineFault): void {
    this.#counts.faults += 1
    if (this.#errors.length < errorsMax) this.#errors.push(fault)
  }

  #imported(read: ReadLine, nodeId: string): Imported {
    const { id: trashId, messageId, error, attempts, versions, createdAt, created = createdAt } = read
    const { from, page, cursor, reconcile, tenant, limitKey, key, traceparent: trace, headers, contentType } = read
    const message = {
      id: `${messageId}!${trashId}!${this.#mark}`,
      replay: this.#mark,
      ...{ from, created, page, cursor, tenant, key, trace, headers, contentType },
      ...(reconcile && { reconcile }),
      ...(limitKey !== null && { limitKey }),
    }
    return {
      trashed: {
        ...{ kind: 'trashed', run: this.#run.id, nodeId, at: createdAt, trashId, attempts: attempts.map(defined) },
        ...{ revision: this.#topology.revision, error: defined(error), message, body: bytesOf(read) },
      },
      versions: versions.map((one) => ({ ...one, createdAt: new Date(one.createdAt), body: bytesOf(one) })),
    } as Imported
  }

  /** Begins with it when the one before is written. */
  async #flush(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    this.#bytes = 0
    await this.#writing
    this.#writing = this.#write(waiting)
    // Who awaits it next hears of it.
    this.#writing.catch(() => undefined)
  }

  async #write(waiting: readonly Imported[]): Promise<void> {
    // Of an id that is there twice the first counts.
    const rows = [...new Map(waiting.toReversed().map((row) => [row.trashed.trashId, row])).values()].reverse()
    const fresh = await this.#deps.store.transaction(async (inside) => {
      const inserted = await insertImported(inside, this.#run, rows)
      const isFirst = this.#counts.imported === 0 && inserted.size > 0
      const { id, topologyId } = this.#run
      if (isFirst)
        await this.#deps.audit(inside, {
          ...ofRun({ id, topologyId, state: 'failed' }, {}),
          before: null,
          after: { imported: true },
        })
      return inserted
    })
    this.#counts.imported += fresh.size
    this.#counts.known += waiting.length - fresh.size
    for (const { trashed } of rows)
      if (fresh.has(trashed.trashId)) this.#added[trashed.nodeId] = (this.#added[trashed.nodeId] ?? 0) + 1
  }

  /** When nothing is being written any more, be it that it failed. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => undefined)
  }

  async end(): Promise<ImportResult> {
    if (this.#waiting.length > 0) await this.#flush()
    await this.#writing
    const { id, topologyId } = this.#run
    const runId = this.#counts.imported === 0 ? null : id
    if (runId !== null) {
      this.#deps.events.emit({ kind: 'run', topologyId, runId, state: 'failed' })
      this.#deps.events.emit({ kind: 'trash', topologyId, added: this.#added, settled: 0 })
    }
    return { runId, ...this.#counts, errors: this.#errors }
  }
}

/** Without what isn't there: a key of nothing is not stored. */
function defined<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
