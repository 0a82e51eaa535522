import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumPath, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openFlow } from '../../console/trash-support.ts'
import type { Flow } from '../../console/trash-support.ts'

/** Nearly 8 MiB of JSON, the most that a message holds. */
const rows = Array.from({ length: 58_000 }, (_, id) => ({
  id,
  name: `customer ${id}`,
  note: 'x'.repeat(78),
  tags: ['a', 'b'],
}))

/** Pauses of the page since it was loaded, longest first, in milliseconds. */
const pauses = `new Promise((resolve) => {
  const seen = []
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries().map(({ duration }) => duration)))
  observer.observe({ type: 'longtask', buffered: true })
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(seen.sort((a, b) => b - a).slice(0, 5))))
})`

describe.skipIf(chromiumPath === undefined)('the largest body, in Chromium', () => {
  let t: TestConsole
  let flow: Flow | undefined
  beforeAll(async () => {
    t = await openConsole()
    const refuse = {
      status: 422,
      headers: { 'content-type': 'application/problem+json' },
      body: '{"title":"Too many rows","status":422}',
    }
    flow = await openFlow(t, 'large', ({ node, body }) =>
      node === 'check' ? { status: 200, headers: { 'content-type': 'application/json' }, body } : refuse,
    )
    await flow.run([{ rows }])
  }, 120_000)
  afterAll(async () => {
    await t.close()
    await flow?.worker.close()
  })

  test(
    'is a tree of which only what is opened is drawn, and a text that is scrolled',
    { timeout: 120_000 },
    async () => {
      const [message] = await t.engine.list('/api/trash', { query: { topology: 'large', state: 'open' } })
      const page = await t.page(`/trash?topology=large&message=${message?.id}`)
      const panel = page.getByRole('region', { name: 'Message' })
      const begun = performance.now()
      await panel.getByRole('treeitem', { name: /rows/ }).click({ timeout: 30_000 })
      await panel.getByRole('treeitem').nth(3).waitFor()
      const shownMs = performance.now() - begun
      expect(await panel.getByRole('treeitem').count()).toBeLessThan(200)
      await keepPicture(page, 'trash-8-mib')
      await panel.getByText('As it is', { exact: true }).click()
      await panel.getByRole('region', { name: 'Body' }).waitFor()
      const { usedJSHeapSize } = await page.evaluate<{ usedJSHeapSize: number }>(
        '({ usedJSHeapSize: performance.memory.usedJSHeapSize })',
      )
      console.log(
        JSON.stringify({
          bytes: JSON.stringify({ rows }).length,
          shownMs,
          pauses: await page.evaluate(pauses),
          heapMb: usedJSHeapSize / 1e6,
        }),
      )
    },
  )
})
