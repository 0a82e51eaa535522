import { expect, test } from 'vitest'
import { control } from '../api/bulk/flow.ts'
import { bridgeOf, callsOf, orders } from '../api/running.ts'
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
