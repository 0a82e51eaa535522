import { expect, test } from 'vitest'
import { barOf, durationText } from '../../runtime/commands/client/runs/bar.ts'
import { bridgeOf, ended, orders, start } from '../api/running.ts'
import { openCli } from './inside.ts'

test('timeline shows a run and its messages as a waterfall, for people and for programs; rerun makes another one', async () => {
  const { t } = await orders(({ node }) =>
    node === 'a'
      ? { body: '[1,2]', headers: { 'content-type': 'application/json', 'sluice-emit': 'records' } }
      : { status: 422, body: '{"title":"no \\u001b[2J"}', headers: { 'content-type': 'application/problem+json' } },
  )
  await bridgeOf(t)
  const first = await start(t)
  await ended(t, first)
  const { run } = await openCli(t)
  const table = (await run('timeline', first)).stdout
  expect(table).toMatch(/^[0-9a-f]{32} of orders: failed in /)
  expect(table).toMatch(/^a +\|[ =]{30}\| +\+.* 1 split, 2 made +1 /m)
  expect(table).toMatch(/ CALLS +SUM OVER MESSAGES$/m)
  expect(table).toMatch(/trashed at b {2}no /)
  expect(table).not.toContain('\u001b')
  const one = (await run('timeline', first, '--message', first)).stdout
  expect(one).toMatch(/^a +\|.*split into 2$/m)
  expect(one).toContain('became 2 messages')
  const json = JSON.parse((await run('timeline', first, '--message', `${first}.1`, '-o', 'json')).stdout) as object
  expect(json).toMatchObject({ parent: first, steps: [{ node: 'b', state: 'trashed' }] })
  const again = await run('rerun', first, 'a', '--follow', '--key', 'k')
  expect(again).toMatchObject({ code: 1, stderr: '' })
  const [second] = again.stdout.split('\n')
  expect((await run('timeline', first)).stdout).toContain(`run again as ${second}`)
  expect((await run('get', 'run', second ?? '', '-o', 'json')).stdout).toContain(`"rerunOf": "${first}"`)
  expect(await run('timeline', 'nobody')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('no run') as string,
  })
  expect(await run('timeline', first, '--page', 'x')).toMatchObject({ code: 2 })
  expect(await run('rerun', first, 'nobody')).toMatchObject({ code: 1 })
})

test('a bar is never empty and never out of its picture', () => {
  const extent = { from: 0, to: 100 }
  for (const [first, last] of [
    [0, 0],
    [100, 100],
    [-50, 500],
    [99, 1],
    [50, 51],
  ] as const)
    expect(barOf(extent, first, last)).toMatch(/^\| *=+ *\|$/)
  expect(barOf({ from: 5, to: 5 }, 5, 5)).toHaveLength(32)
  expect([12, 1_500, 200_000, 7_500_000].map(durationText)).toEqual(['12 ms', '1.5 s', '3 min 20 s', '2 h 5 min'])
})
