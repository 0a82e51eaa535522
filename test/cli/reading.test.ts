import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { bridgeOf, orders, start } from '../api/running.ts'
import { openCli } from './inside.ts'

const rowsOf = (json: string) => JSON.parse(json) as Record<string, unknown>[]

test('a cursor is set, rewound and reset, and its history says who did it and why', async () => {
  const { t } = await orders(
    ({ node, headers }) => {
      if (node === 'b') return { status: 204 }
      const page = Number(headers['sluice-page'])
      if (page === 2) return { status: 422 }
      return { body: '[1]', headers: { 'content-type': 'application/json', 'sluice-cursor': `c${page + 1}` } }
    },
    { a: { type: 'batch', emit: 'records' } },
  )
  await bridgeOf(t)
  const { run } = await openCli(t)
  const runId = await start(t)
  const stopped = async () => rowsOf((await run('get', 'cursors', '--run', runId, '-o', 'json')).stdout)[0]
  const cursor = await eventually('its page is in Trash', async () => {
    const row = await stopped()
    return row?.state === 'stopped' && row
  })
  const [id, trashId] = [String(cursor.id), String(cursor.trashId)]
  const from = (what: string) =>
    `a goes on from ${what} when ${trashId} is replayed from Trash; page 1 was the newest\n`
  const set = await run('cursor', 'set', id, 'c7', '--reason', 'page 2 is broken')
  expect(set).toEqual({ code: 0, stdout: from('c7'), stderr: '' })
  expect((await run('cursor', 'rewind', id, '1')).stdout).toBe(from('c1'))
  expect((await run('cursor', 'reset', id)).stdout).toBe(from('the beginning'))
  const history = await run('cursor', 'history', id, '--limit', '3', '-o', 'json')
  expect(rowsOf(history.stdout)).toMatchObject([
    { deed: 'reset', page: 1, cursor: null, by: 'admin' },
    { deed: 'rewound', page: 1, cursor: 'c1', by: 'admin' },
    { deed: 'edited', page: 1, cursor: 'c7', by: 'admin', reason: 'page 2 is broken' },
  ])
  expect((await run('cursor', 'history', id)).stdout).toMatch(/^AT +DEED +PAGE +CURSOR/)
  expect(await run('cursor', 'rewind', id, '9')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^page 9 wasn't read/) as string,
  })
  expect(await run('cursor', 'rewind', id, 'x')).toMatchObject({ code: 2 })
  for (const args of [
    ['set', 'nobody', 'c'],
    ['rewind', 'nobody', '0'],
    ['reset', 'nobody'],
    ['history', 'nobody'],
  ])
    expect(await run('cursor', ...args)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^there is no cursor "nobody"/) as string,
    })
})

test('a watermark is set before and after a node has one, reset, and its history shown; each tenant has its own', async () => {
  const { t } = await orders(() => ({ status: 204 }), { a: { type: 'batch', watermark: {} } })
  const { run } = await openCli(t)
  const none = await run('watermark', 'reset', 'orders/a')
  expect(none).toMatchObject({ code: 1, stderr: 'orders/a has no watermark yet: nothing was committed or set\n' })
  const set = (watermark: string, ...more: string[]) => run('watermark', 'set', 'orders/a', watermark, ...more)
  const said = { code: 0, stdout: 'the next run of orders/a goes on from 7\n', stderr: '' }
  expect(await set('7')).toEqual(said)
  await set('8', '--reason', 'restored')
  expect(await set('7', '--tenant', 'ann')).toEqual(said)
  const reset = await run('watermark', 'reset', 'orders/a')
  expect(reset.stdout).toBe('the next run of orders/a reads everything\n')
  const history = await run('watermark', 'history', 'orders/a', '-o', 'json')
  expect(rowsOf(history.stdout)).toMatchObject([
    { deed: 'reset', version: 3, watermark: null, by: 'admin' },
    { deed: 'set', version: 2, watermark: '8', reason: 'restored' },
    { deed: 'set', version: 1, watermark: '7', reason: null },
  ])
  expect((await run('watermark', 'history', 'orders/a', '--tenant', 'ann')).stdout).toMatch(/^AT .*\n.* set +7 /)
  const got = rowsOf((await run('get', 'watermarks', 'orders', '-o', 'json')).stdout)
  expect(got.map(({ tenant, watermark }) => [tenant, watermark])).toHaveLength(2)
})

test('what has no watermark is refused in one line', async () => {
  const { t } = await orders(() => ({ status: 204 }), { a: { type: 'batch', watermark: {} } })
  const { run } = await openCli(t)
  const refused = async (...args: string[]) => run('watermark', ...args)
  expect(await refused('set', 'orders', '7')).toMatchObject({
    code: 2,
    stderr: '"orders" is no node: say TOPOLOGY/NODE\n',
  })
  expect(await refused('set', 'orders/b', '7')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('only batch nodes') as string,
  })
  expect(await refused('set', 'orders/nobody', '7')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no node "nobody"') as string,
  })
  expect(await refused('history', 'orders/a', '--tenant', 'bob')).toMatchObject({
    code: 1,
    stderr: 'orders/a has no watermark for bob yet: nothing was committed or set\n',
  })
})
