import { expect, test } from 'vitest'
import { bridgeOf, ended, orders, start } from '../api/running.ts'
import { openCli } from './inside.ts'

const busy = () => ({ status: 429, headers: { 'retry-after': '3600' } })

test('unpublish --discard says what is being cancelled, and with --wait ends when all of it is', async () => {
  const { t } = await orders(busy)
  const { run } = await openCli(t)
  const id = await start(t)
  const begun = await run('unpublish', 'orders', '--discard')
  expect(begun.stdout).toMatch(
    /^orders is a draft; 1 messages of it are being cancelled \(.*no bridge.*\); it can be published when that is done\n$/,
  )
  const late = await run('unpublish', 'orders', '--discard', '--wait', '--timeout', '0s')
  expect(late).toMatchObject({ code: 1, stderr: expect.stringContaining('still after 0 s') as string })
  await bridgeOf(t)
  const done = await run('unpublish', 'orders', '--discard', '--wait')
  expect(done).toMatchObject({ code: 0, stdout: 'orders is a draft: what was queued is cancelled\n' })
  expect(await ended(t, id)).toMatchObject({ state: 'cancelled' })
  expect((await run('unpublish', 'orders', '--discard')).stdout).toBe('orders is a draft: nothing is queued\n')
})

test('what is asked for again while it is going on is in the audit log once', async () => {
  const { t } = await orders(busy)
  const { run } = await openCli(t)
  await start(t)
  for (let asked = 0; asked < 3; asked++) await run('unpublish', 'orders', '--discard')
  const args = ['get', 'audit', 'orders', '--action', 'unpublishTopology', '-o', 'json'] as const
  expect(JSON.parse((await run(...args)).stdout)).toMatchObject([{ who: 'admin', after: { discard: 'draft' } }])
})

test('delete --force says that messages are cancelled first, and with --wait ends when it is gone', async () => {
  const { t } = await orders(busy)
  const { run } = await openCli(t)
  await start(t)
  expect((await run('delete', 'orders')).code).toBe(1)
  expect((await run('delete', 'orders', '--force')).stdout).toBe(
    'orders is stopped: its messages settle as cancelled first, then it is deleted\n',
  )
  await bridgeOf(t)
  const gone = await run('delete', 'orders', '--force', '--wait')
  expect(gone).toMatchObject({ code: 0, stdout: 'orders is deleted; its runs and its Trash stay\n' })
  expect((await t.get('/api/topologies/orders')).status).toBe(404)
})
