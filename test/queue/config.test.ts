import { afterEach, expect, test } from 'vitest'
import { openReading } from '../../runtime/bridge/paging/reading.ts'
import { untried } from '../../runtime/protocol/message.ts'
import type { Message } from '../../runtime/protocol/message.ts'
import { readingOf } from '../../runtime/protocol/reading.ts'
import { watchConfig } from '../../runtime/queue/config.ts'
import type { ConfigChange } from '../../runtime/queue/config.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { WorkerNode } from '../../runtime/topology/plan.ts'
import { startEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

const closing: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

test('a watch whose renewal fails after a reconnect is renewed until it works', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(() => engine.close())
  const { connection, config, control } = engine.queues
  let failures = 0
  const shaky = {
    ...config,
    config: Object.assign(Object.create(config.config) as typeof config.config, {
      watch: () => (failures-- > 0 ? Promise.reject(new Error('temporarily unavailable')) : config.config.watch()),
    }),
  }
  const deps = {
    connection,
    config: shaky,
    log: silentLog,
  }
  const changes: ConfigChange[] = []
  const stopping = new AbortController()
  closing.push(() => stopping.abort())
  await watchConfig(deps, (change) => changes.push(change), stopping.signal)
  failures = 2
  await connection.nc.reconnect()
  const plans = (): number => changes.filter(({ kind }) => kind === 'plan').length
  await eventually('everything is read anew', () => failures < 0 && plans() === 2)
  await control.setPaused('some-node', 'because')
  await eventually('the change is seen', () =>
    changes.some((change) => change.kind === 'paused' && change.reason === 'because'),
  )
})

test('an older edit of a cursor does not replace a newer one, and the same again is no change', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(() => engine.close())
  const { control } = engine.queues
  const { topologyId } = engine.plan
  await control.putEdit(topologyId, 'reading', { edit: 2, cursor: 'new' })
  const [told] = await control.edits()
  await control.putEdit(topologyId, 'reading', { edit: 1, cursor: 'old' })
  await control.putEdit(topologyId, 'reading', { edit: 2, cursor: 'new' })
  expect(await control.edits()).toEqual([told])
  await Promise.all([3, 5, 4].map((edit) => control.putEdit(topologyId, 'reading', { edit, cursor: `${edit}` })))
  expect(await control.edits()).toMatchObject([{ reading: 'reading', edit: 5, cursor: '5' }])
  const reading = openReading(engine.queues)
  for (const edit of [5, 4])
    reading.set({ kind: 'cursor', reading: readingOf('n', 'm'), edited: { edit, cursor: `${edit}` } })
  const message: Message = {
    ...untried,
    id: 'm',
    run: 'r',
    from: '',
    created: '',
    contentType: '',
    body: new Uint8Array(),
  }
  const place = { topologyId, node: { id: 'n' } as WorkerNode }
  expect(await reading.asked(message, place, new AbortController().signal)).toMatchObject({ edit: 5, cursor: '5' })
})

test('an older address of a worker does not replace a newer one', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(() => engine.close())
  const { config, control } = engine.queues
  const worker = { name: 'shop', dialect: 'native', secret: null, timeoutMs: null } as const
  await control.putWorker({ ...worker, urls: ['http://new'], version: 2 })
  await control.putWorker({ ...worker, urls: ['http://old'], version: 1 })
  expect((await config.config.get('worker.shop'))?.json()).toMatchObject({ urls: ['http://new'], version: 2 })
})

test('asking what is paused and which bridges live leaves nothing behind at the server, however often', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(() => engine.close())
  const { connection, config, control } = engine.queues
  const readers = async (bucket: string): Promise<number> =>
    (await connection.jsm.streams.info(`KV_${bucket}`)).state.consumer_count
  for (let n = 0; n < 20; n++) expect([await control.paused(), await control.bridges()]).toEqual([new Map(), []])
  await control.setPaused('one', 'because')
  await control.setPaused('two', 'of this')
  await control.setPaused('two', null)
  await config.bridges.put('a-bridge', JSON.stringify({ id: 'a-bridge' }))
  expect(await control.paused()).toEqual(new Map([['one', 'because']]))
  expect(await control.bridges()).toEqual([{ id: 'a-bridge' }])
  expect([await readers(config.name), await readers(config.bridgesName)]).toEqual([0, 0])
})
