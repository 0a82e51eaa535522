import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startGuard } from '../../runtime/embedded/guard.ts'
import { withFewerCopies } from '../../runtime/queue/look/copies.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { closing } from '../bridge/flow.ts'
import { startNats } from '../faults/parts/services.ts'
import { startEngine } from '../support/engine.ts'

async function clusterOfThree(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-copies-'))
  closing.push({ close: () => rmSync(folder, { recursive: true, force: true }) })
  const guard = startGuard(folder, () => undefined)
  closing.push(guard)
  const watched = { guard, logs: folder, onUnexpectedEnd: () => undefined }
  const { url, parts } = await startNats(folder, 3, watched)
  closing.push(...parts)
  return url
}

async function copiesOf({ connection }: Queues): Promise<Record<string, number>> {
  const copies: Record<string, number> = {}
  for await (const { config } of connection.jsm.streams.list()) copies[config.name] = config.num_replicas
  return copies
}

function allWith(streams: readonly string[], copies: number): Record<string, number> {
  return Object.fromEntries(streams.map((name) => [name, copies]))
}

test('streams of an engine that had one copy get three, from several processes at once, and keep what they hold', async () => {
  const url = await clusterOfThree()
  const engine = await startEngine([{ name: 'a' }], undefined, undefined, url)
  closing.push(engine)
  const { namespace, plan } = engine
  await engine.start('1')
  const before = await copiesOf(engine.queues)
  const streams = Object.keys(before)
  expect(streams.length).toBeGreaterThanOrEqual(4)
  expect(before).toEqual(allWith(streams, 1))
  expect(await withFewerCopies(engine.queues.connection, 3)).toHaveLength(streams.length)

  const told: unknown[] = []
  const log = { ...silentLog, info: (_: string, fields?: object) => void told.push(fields) }
  const open = (replicas: number): Promise<Queues> => openQueues({ url, name: 'test', namespace, replicas, log })
  const raised = await Promise.all([open(3), open(3), open(3)])
  closing.push(...raised)
  await Promise.all(raised.map(({ control }) => control.ensure(plan)))
  expect(await copiesOf(engine.queues)).toEqual(allWith(streams, 3))
  expect(told).toEqual(expect.arrayContaining(streams.map((stream) => ({ stream, before: 1, now: 3 }))) as unknown)
  expect(await withFewerCopies(engine.queues.connection, 3)).toEqual([])

  const modest = await open(1)
  closing.push(modest)
  await modest.control.ensure(plan)
  expect(await copiesOf(modest)).toEqual(allWith(streams, 3))
  const depths = await modest.control.depths(plan)
  expect(depths.reduce((sum, { pending }) => sum + pending, 0)).toBe(1)
})
