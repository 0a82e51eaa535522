import { expect, onTestFinished, test } from 'vitest'
import { beat, openApi, published } from '../../api/open.ts'

test('a republish waits about 5 s for a live bridge that never applies it, and answers that it is missing', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const live = async () => {
    await beat(t, 'quick', { revisions: { [id]: 2 } })
    await beat(t, 'stuck', { revisions: { [id]: 1 } })
  }
  await live()
  const beats = setInterval(() => void live(), 1_000)
  onTestFinished(() => clearInterval(beats))
  const begun = performance.now()
  const { status, body } = await t.post('/api/topologies/orders/republish')
  const tookMs = performance.now() - begun
  expect({ status, body }).toMatchObject({
    status: 200,
    body: { revision: 2, bridgeOutOfSync: false, bridges: { applied: ['quick'], missing: ['stuck'] } },
  })
  expect(tookMs).toBeGreaterThan(4_900)
  expect(tookMs).toBeLessThan(8_000)
})
