import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { openControl } from '../control.ts'
import type { Control } from '../control.ts'
import { seedTrash } from './seed.ts'

const patient = { timeoutMs: 3_600_000 }
const nobody = 'http://127.0.0.1:1'

/** A control without a bridge, with so many messages in Trash, and a folder for files. */
async function withTrash(count: number): Promise<{ control: Control; folder: string }> {
  const control = await openControl(nobody, false)
  const { id: topologyId } = await control.call('GET', '/api/topologies/orders')
  const { items } = await control.call('GET', '/api/topologies/orders/nodes')
  const node = (items as { id: string; name: string }[]).find(({ name }) => name === 'a')
  const { postgresUrl } = control
  await seedTrash({ postgresUrl, topologyId: String(topologyId), nodeId: String(node?.id), count })
  const folder = await mkdtemp(join(tmpdir(), 'sluice-transfer-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return { control, folder }
}

/** Memory of control while something goes on, in MiB: after a tenth of it, and at its end. */
interface Flow {
  early: number
  late: number
  ms: number
}

/** Calls back with how many bytes have passed. */
function counting(onBytes: (bytes: number) => void): Transform {
  let bytes = 0
  return new Transform({
    transform(piece: Buffer, _, done) {
      bytes += piece.length
      onBytes(bytes)
      done(null, piece)
    },
  })
}

async function exported(control: Control, file: string, expectedBytes: number): Promise<Flow> {
  const begun = performance.now()
  let early = 0
  const answer = await control.ask('/api/trash/export?topology=orders&state=open')
  expect(answer.status).toBe(200)
  const count = counting((bytes) => {
    if (early === 0 && bytes > expectedBytes / 10) early = control.rssMiB()
  })
  await pipeline(Readable.fromWeb(answer.body as WebStream), count, createWriteStream(file))
  return { early, late: control.rssMiB(), ms: performance.now() - begun }
}

async function imported(
  control: Control,
  file: string,
  onBytes: (bytes: number, size: number) => void = () => undefined,
): Promise<Flow & { said: Record<string, unknown> }> {
  const begun = performance.now()
  const { size } = await stat(file)
  let early = 0
  const count = counting((bytes) => {
    if (early === 0 && bytes > size / 10) early = control.rssMiB()
    onBytes(bytes, size)
  })
  const source = createReadStream(file)
  const body = Readable.toWeb(source.pipe(count))
  const headers = { 'content-type': 'application/x-ndjson' }
  const init = { method: 'POST', headers, body, duplex: 'half' } as unknown as RequestInit
  try {
    const answer = await control.ask('/api/trash/import?topology=orders', init)
    const said = (await answer.json()) as Record<string, unknown>
    expect([answer.status, said]).toMatchObject([200, { faults: 0, settled: 0 }])
    return { early, late: control.rssMiB(), ms: performance.now() - begun, said }
  } finally {
    source.destroy()
  }
}

/** What an import makes anew (decision 023): everything else has to be as it was. */
const own = new Set(['runId', 'messageId', 'replay'])

async function expectSame(before: string, after: string): Promise<number> {
  const [old, now] = [before, after].map((file) =>
    createInterface({ input: createReadStream(file) })[Symbol.asyncIterator](),
  )
  for (let line = 0; ; line++) {
    const [was, is] = await Promise.all([old?.next(), now?.next()])
    if (was?.done === true && is?.done === true) return line
    const without = (text: unknown) =>
      JSON.stringify(JSON.parse(String(text)), (key, value: unknown) => (own.has(key) ? undefined : value))
    if (was?.done === true || is?.done === true || without(was?.value) !== without(is?.value))
      expect([line, is?.value]).toEqual([line, was?.value])
  }
}

async function erased(control: Control): Promise<{ erased: number; discarded: number }> {
  const all = { erased: 0, discarded: 0 }
  for (;;) {
    const said = await control.call('POST', '/api/trash/erase', { tenant: 'ann' })
    all.erased += Number(said.erased)
    all.discarded += Number(said.discarded)
    if (said.isDone === true) return all
  }
}

const groupsOf = async (control: Control) => {
  const { items } = await control.call('GET', '/api/trash/groups?topology=orders&state=open')
  return (items as Record<string, unknown>[]).map(({ newestId: _, ...group }) => group)
}

const messagesOf = async (control: Control, run: unknown) =>
  (await control.call('GET', `/api/runs/${String(run)}`)).messages as Record<string, number>

test(
  'what is exported, erased and imported again is there as it was, with flat memory, and says how fast',
  async () => {
    const count = Number(process.env.SLUICE_PROOF_TRANSFER ?? 20_000)
    const { control, folder } = await withTrash(count)
    const [before, after] = [join(folder, 'before.ndjson'), join(folder, 'after.ndjson')]
    const groups = await groupsOf(control)
    const out = await exported(control, before, count * 900)
    const known = await imported(control, before)
    expect(known.said).toMatchObject({ runId: null, imported: 0, known: count })
    const begun = performance.now()
    expect(await erased(control)).toEqual({ erased: count, discarded: count })
    const erasedMs = performance.now() - begun
    expect(await groupsOf(control)).toEqual([])
    // The recorder may still be reading what was discarded.
    const into = await imported(control, before)
    expect(into.said).toMatchObject({ imported: count, known: 0 })
    const again = await exported(control, after, count * 900)
    expect(await expectSame(before, after)).toBe(count)
    await eventually(
      'all discards are recorded',
      async () => (await messagesOf(control, 'seeded')).discarded === count,
      patient,
    )
    expect(await messagesOf(control, 'seeded')).toMatchObject({ total: count, failed: 0 })
    expect(await messagesOf(control, into.said.runId)).toMatchObject({ total: count, failed: count })
    expect(await groupsOf(control)).toEqual(groups)
    const rate = (ms: number): string => `${Math.round((count * 1_000) / ms)}/s`
    const told = ({ early, late, ms }: Flow): string => `${rate(ms)} (control ${early} → ${late} MiB)`
    const { size } = await stat(before)
    console.log(
      `${count} messages, ${Math.round(size / 1e6)} MB: exported ${told(out)}, again ${told(again)}; imported ${told(into)}, known ones ${told(known)}; erased ${rate(erasedMs)}`,
    )
    for (const flow of [out, known, into, again]) expect(flow.late - flow.early).toBeLessThan(150)
  },
  4 * 3_600_000,
)

test('an import during which control is SIGKILLed goes on when it is sent again, and has each message once', async () => {
  const count = 20_000
  const { control, folder } = await withTrash(count)
  const file = join(folder, 'all.ndjson')
  await exported(control, file, Infinity)
  await erased(control)
  const killed: Promise<void>[] = []
  const half = imported(control, file, (bytes, size) => {
    if (bytes > size / 2 && killed.length === 0) killed.push(control.kill())
  })
  await expect(half).rejects.toThrow()
  await Promise.all(killed)
  await eventually('control serves', () => control.call('GET', '/api/topologies'), patient)
  const { said } = await imported(control, file)
  expect(Number(said.imported) + Number(said.known)).toBe(count)
  expect(said.known).toBeGreaterThan(0)
  const { items } = await control.call('GET', '/api/runs?topology=orders&state=failed')
  const failed = (items as { messages: { failed: number } }[]).reduce((sum, run) => sum + run.messages.failed, 0)
  expect(failed).toBe(count)
  const lines = join(folder, 'again.ndjson')
  await exported(control, lines, Infinity)
  expect(await expectSame(file, lines)).toBe(count)
}, 600_000)
