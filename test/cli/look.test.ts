import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../runtime/commands/listen.ts'
import { adminToken } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { bridgeOf, orders, start } from '../api/running.ts'
import { eventually } from '../support/eventually.ts'
import { sluice } from './sluice.ts'
import type { Ended } from './sluice.ts'

/** The real command line against this API. */
async function commandLine(t: TestApi): Promise<(...args: string[]) => Promise<Ended>> {
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: '' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => t.api.fetch(request, env))
  const env = { SLUICE_URL: listening.url, SLUICE_TOKEN: adminToken }
  return (...args) => sluice(args, { env })
}

test('why and peek show what waits, for people and for programs', async () => {
  const { t } = await orders(() => ({ fail: 'never' }))
  await bridgeOf(t)
  await start(t, { n: 1 })
  await start(t, { text: 'two\u001b[2J' })
  const run = await commandLine(t)
  const why = await eventually('both wait', async () => {
    const { stdout } = await run('why', 'orders/a')
    return stdout.includes('prefetch') && stdout
  })
  expect(why).toMatch(/^orders\/a: 1 waiting, 1 held, 0 delayed, 0 replies to split\nCOUNT +WHY +WHAT/)
  expect(why).toMatch(/^1 +calling +messages: at the worker/m)
  const [peek, json] = await Promise.all([
    run('peek', 'orders/a'),
    run('peek', 'orders/a', '--state', 'held', '-o', 'json'),
  ])
  expect(peek.stdout).toMatch(/waiting .*\{"text":"two/)
  expect(peek.stdout).not.toContain('\u001b')
  expect(JSON.parse(json.stdout)).toMatchObject([{ state: 'held', body: { n: 1 } }])
})

test('tail prints what comes, and ends after --count', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const run = await commandLine(t)
  const tail = run('tail', 'orders/a', '--count', '2', '-o', 'json')
  let isOver = false
  void tail.finally(() => (isOver = true))
  while (!isOver) await start(t, { n: 1 })
  const { code, stdout } = await tail
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { body: unknown }).body)).toEqual([{ n: 1 }, { n: 1 }])
})

test('try shows the reply and the verdict; its exit code tells a good one from a bad one', async () => {
  const { t } = await orders(({ body }) => (body === '1' ? { body: 'fine' } : { status: 422, body: 'too odd' }))
  const run = await commandLine(t)
  const [good, bad] = await Promise.all([
    run('try', 'orders/a', '--data', '1'),
    run('try', 'orders/a', '--data', '2', '-o', 'json'),
  ])
  expect(good.code).toBe(0)
  expect(good.stdout).toMatch(/^status 200 after [\d.]+ ms\n {2}\S+\nforward: goes to b\n {2}→ b {2}/m)
  expect(bad.code).toBe(1)
  expect(JSON.parse(bad.stdout)).toMatchObject({ verdict: { kind: 'trash', problem: { status: 422 } } })
})

test('a node that is named wrongly is told, with a suggestion', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const run = await commandLine(t)
  const [near, none, both] = await Promise.all([
    run('why', 'orders/bb'),
    run('peek', 'orders'),
    run('try', 'orders/a', '--data', '{'),
  ])
  expect(near).toMatchObject({ code: 1, stderr: expect.stringContaining('has no node "bb"') as string })
  expect(none).toMatchObject({ code: 2, stderr: 'a node is named TOPOLOGY/NODE; found "orders"\n' })
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--data takes JSON') as string })
})
