import { afterAll, beforeAll, test } from 'vitest'
import { keepPicture, openConsole, hindrances } from './open.ts'
import type { TestConsole } from './open.ts'
import { openFlow } from './trash-support.ts'
let t: TestConsole
beforeAll(async () => {
  t = await openConsole()
})
afterAll(() => t.close())
test('look', { timeout: 600_000 }, async () => {
  const flow = await openFlow(t, 'orders', ({ body }, nth) =>
    body.includes('bad')
      ? {
          status: 422,
          headers: { 'content-type': 'application/problem+json' },
          body: JSON.stringify({
            type: 'urn:shop:invalid',
            title: 'The zip is none',
            status: 422,
            detail: 'order 17 has the zip "1234"',
          }),
        }
      : nth > 1 || !body.includes('slow')
        ? { status: 200, body }
        : { status: 502, body: 'away' },
  )
  await flow.run([
    { a: 1, slow: 1 },
    { bad: 1, zip: '12', list: [1, 2, { x: 12345678901234567890n.toString() }] },
    { bad: 2 },
    { bad: 3 },
  ])
  const [run] = await t.engine.list('/api/runs', { query: { topology: 'orders' } })
  const [row] = await t.engine.list('/api/trash')
  console.log(
    row!.messageId,
    await t.engine
      .GET('/api/runs/{id}/messages/{message}/timeline', { params: { path: { id: run!.id, message: row!.messageId } } })
      .then(({ data }) => JSON.stringify(data).slice(0, 900), String),
  )
  const shots = JSON.parse((process.env.SHOTS ?? '[]').replaceAll('RUN', run!.id).replaceAll('ROW', row!.id)) as [
    string,
    string,
    number,
    'light' | 'dark',
  ][]
  for (const [path, name, width, scheme] of shots) {
    const page = await t.page(path, { width, scheme })
    await page.waitForLoadState('networkidle').catch(() => undefined)
    await page.waitForTimeout(2500)
    await keepPicture(page, name)
    console.log(name, await hindrances(page))
    await page.context().close()
  }
  await flow.worker.close()
})
