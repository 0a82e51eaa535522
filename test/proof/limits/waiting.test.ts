import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { limitedFlow, startAll } from './flow.ts'

/** `SLUICE_PROOF_WAITING=100000 npm run proof -- test/proof/limits/waiting.test.ts` is the whole measurement. */
const count = Number(process.env['SLUICE_PROOF_WAITING'] ?? 5_000)
const patient = { timeoutMs: 300_000 }

test('messages that wait for a tenant without permits cost no memory in the bridge, and nobody asks for them', async () => {
  const flow = await limitedFlow({
    topologies: [[20]],
    limits: { limits: [{ rate: 1, per: 'hour', scope: 'tenant' }] },
    strict: [{ rate: 1_000_000, periodMs: 1_000 }],
    bridges: 1,
  })
  const [engine] = flow.engines
  if (engine === undefined) throw new Error('no engine')
  const { control, connection, config } = engine.queues
  const rss = async (): Promise<number> => ((await control.bridges())[0]?.rssBytes ?? 0) / 1e6
  const writes = async (): Promise<number> =>
    (await connection.jsm.streams.info(`KV_${config.limitsName}`)).state.last_seq
  const drained = async (): Promise<boolean> => {
    const depths = await control.depths(engine.plan)
    return depths.every(({ pending, inFlight }) => pending === 0 && inFlight === 0)
  }
  await flow.openBridges()
  await startAll(flow, 1_000, 'many')
  await eventually('the first are put off', drained, patient)
  const before = await rss()
  const begun = performance.now()
  await startAll(flow, count, 'many')
  await eventually('all are put off', drained, patient)
  const perSecond = count / ((performance.now() - begun) / 1000)
  const written = await writes()
  await wait(5_000)
  const asked = (await writes()) - written
  const after = await rss()
  console.log(JSON.stringify({ count, perSecond, rssMb: { before, after }, writesWhileWaiting: asked }))
  expect(flow.api.calls.get('')).toHaveLength(1)
  expect(asked).toBe(0)
  expect(after - before).toBeLessThan(80)
})
