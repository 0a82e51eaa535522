import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { saveManifest } from '../../runtime/store/queries/workers.ts'
import { control } from '../api/bulk/flow.ts'
import { published } from '../api/open.ts'
import { bridgeOf, callsOf, orders, start } from '../api/running.ts'
import { over, sendRecords } from '../api/upload/send.ts'
import { eventually } from '../support/eventually.ts'
import { openCli } from './inside.ts'

const done = () => ({ status: 204 })

test('a replay of all tries each message, names those that are refused, and counts', async () => {
  const { t, worker } = await orders(done)
  await bridgeOf(t)
  const { body } = await sendRecords(t, 'id,name\n1\n2\n3\n', { type: 'text/csv' })
  await over(t, body.runId)
  control({ t })
  const { run } = await openCli(t)
  const rows = JSON.parse((await run('trash', 'list', '--run', body.runId, '-o', 'json')).stdout) as { id: string }[]
  const [bad = '', mended = '', changed = ''] = rows.map(({ id }) => id)
  await run('trash', 'edit', mended, '--body', 'id,name\n2,b', '--content-type', 'text/csv')
  await run('trash', 'edit', changed, '--body', '{"id":"3"}', '--content-type', 'application/json')
  expect((await run('trash', 'edit', bad, '--content-type', 'text/csv')).stderr).toMatch(
    /^--content-type is of the body/,
  )
  for (const single of [['--to', 'a'], ['--no-newest-revision']])
    expect(await run('trash', 'replay', '--all', ...single)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(`^${single[0]} is for single messages`) as string,
    })
  const dashed = `-o${'x'.repeat(20)}`
  expect((await run('trash', 'edit', dashed, '--body', '1')).stderr).toMatch(/there is no message.*-ox+/)
  const replayed = await run('trash', 'replay', '--all', '--run', body.runId)
  expect(replayed).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^bulk \w+: 3 messages\n/) as string,
  })
  expect(`${replayed.stdout}${replayed.stderr}`).toMatch(/finished: of 3 2 done, 0 failed again, 1 refused/)
  const id = /^bulk (\w+)/.exec(replayed.stdout)?.[1] ?? ''
  expect((await run('trash', 'bulk', 'show', id, '--outcome', 'refused')).stdout).toMatch(
    new RegExp(`${bad} +refused +it is no record yet`),
  )
  const bodies = () => callsOf(worker).map((call) => call.body)
  await eventually('both went', () => bodies().includes('{"id":"2","name":"b"}') && bodies().includes('{"id":"3"}'))
  expect(await run('trash', 'replay', bad, 'nobody')).toMatchObject({
    code: 1,
    stdout: '0 of 2 sent again, 2 refused\n',
    stderr: expect.stringMatching(/^nobody: /m) as string,
  })
})

test('what is refused is said fault by fault, a difference line by line, and Trash goes from engine to engine by a file', async () => {
  const { t } = await orders(() => ({ status: 422 }))
  await bridgeOf(t)
  const runId = await start(t, { a: 1, b: 'text' })
  const { run } = await openCli(t)
  const id = await eventually(
    'it is in Trash',
    async () => (await t.get(`/api/trash?run=${runId}`)).body.items[0]?.id ?? false,
  )
  const input = { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } } }
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'a', type: 'custom', input }] })
  const edited = await run('trash', 'edit', id, '--body', '{"a":"1","b":2}')
  expect(edited.stderr).toBe('warning: /a must be integer\nwarning: /b must be string\n')
  expect((await run('trash', 'show', id, '--diff')).stdout).toBe('version 0 → 1\n/a: 1 → "1"\n/b: "text" → 2\n')
  const refused = await run('trash', 'replay', id)
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/\n {2}\/a must be integer\n {2}\/b must be string\n$/) as string,
  })
  expect((await run('trash', 'replay', id, '--to', 'nope')).stderr).toMatch(/can't go to "nope"/)
  const file = join(await mkdtemp(join(tmpdir(), 'trash-')), 'all.ndjson')
  onTestFinished(() => rm(dirname(file), { recursive: true }))
  expect((await run('trash', 'export', '--in-body', 'text', '--file', file)).code).toBe(0)
  const other = await openCli()
  await published(other.t, 'orders')
  expect((await other.run('trash', 'import', 'orders', file)).stdout).toMatch(/^1 imported in run \S+, 0 were there/)
  expect((await other.run('trash', 'erase', '--tenant', 'nobody', '--yes')).stdout).toBe(
    '0 messages and 0 start messages are erased\n',
  )
  expect(await other.run('trash', 'import', 'orders', `${file}x`)).toMatchObject({ code: 2 })
  expect((await run('trash', 'replay', id, '--to', 'b', '--accept-warnings')).stdout).toBe(`${id} replaying\n`)
})
