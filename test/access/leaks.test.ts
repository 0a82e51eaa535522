import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import { createLog } from '../../runtime/telemetry/log.ts'
import { chain, openApi } from '../api/open.ts'
import type { Answer } from '../api/open.ts'
import { github, openHook } from '../hooks/open.ts'
import { logIn, tokenOf, withRuns } from './world.ts'

/** In everything that must be told to nobody. */
const mark = 'hunter2'

test('no secret, token, cookie or body is in the log, in problems, in the audit log or in events', async () => {
  const file = join(tmpdir(), `sluice-log-${newId()}`)
  onTestFinished(() => rmSync(file, { force: true }))
  const t = await openApi({ log: createLog('debug', file) })
  const said: string[] = []
  const keep = (answer: Answer): Answer => {
    if (answer.status >= 400) said.push(answer.text)
    return answer
  }
  await withRuns(t, 'orders')
  const watching = await t.api.request('/api/events', {
    headers: { authorization: `Bearer ${await tokenOf(t, ['read'])}` },
  })
  const urls = ['http://127.0.0.1:1']
  for (const secret of [`${mark}-1`, [`${mark}-2`], `${mark}-3`.repeat(100)])
    keep(await t.send('PUT', '/api/workers/w', { json: { urls, secret } }))
  keep(await t.post('/api/workers', { name: 'v', urls, secret: `${mark}-4` }))
  keep(await t.post('/api/workers', { name: 'v', urls, secret: `${mark}-4` }))
  const settings = { headers: { authorization: `Bearer ${mark}` }, apiKey: mark, pages: 7 }
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { settings } }) })
  keep(await t.send('PUT', '/api/trash/orders-x1', { json: { body: mark, headers: { 'x-a': mark }, reason: 'zip' } }))
  keep(await t.send('GET', '/api/topologies', { token: `slw_${mark}` }))
  const token = (await t.post('/api/tokens', { name: 'ci', scopes: ['admin'] })).body.token
  const { answer, cookie } = await logIn(t, token)
  keep(answer)
  keep((await logIn(t, `${mark}-wrong`)).answer)
  keep(await t.send('POST', '/api/session', { token: null, json: { more: mark, token: [token] } }))
  const hook = await openHook({ verify: { scheme: 'github' } }, { given: t, secret: `${mark}-5` })
  keep(await hook.deliver({ raw: mark, headers: github(mark, undefined, `${mark}-6`) }))
  keep(await hook.deliver({ method: 'PATCH' }))
  keep(await hook.deliver({ path: `${hook.path}/more` }))
  // A failed statement names its values.
  await t.store.query((db) => db.execute(sql`alter table trash_versions rename column by to whom`))
  const failed = keep(await t.send('PUT', '/api/trash/orders-x1', { json: { body: mark } }))
  expect(failed.status).toBe(500)
  const audit = keep(await t.get('/api/audit?limit=500'))
  const lines = readFileSync(file, 'utf8')
  expect(lines).toContain('Failed query')
  const events = await readSome(watching)
  expect(said).toHaveLength(10)
  for (const secret of [mark, token, hook.path.split('/')[4] ?? '', cookie.split('=')[1] ?? '', 'header-of-it'])
    for (const text of [lines, ...said, audit.text, events]) expect(text).not.toContain(secret)
  expect(audit.text).toContain('"secret":"[redacted]"')
  expect(audit.text).toContain('"changed":["body","headers"]')
  expect(audit.text).toContain('"pages":7')
})

/** What a watcher of events was told until a worker changed. */
async function readSome(response: Response): Promise<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!text.includes('event: worker')) text += new TextDecoder().decode((await reader.read()).value)
  await reader.cancel()
  return text
}

test('a secret that is set again is logged as changed, and one that is taken away as gone', async () => {
  const t = await openApi()
  const urls = ['http://127.0.0.1:1']
  await t.post('/api/workers', { name: 'w', urls })
  for (const secret of ['one-secret', 'another-secret', null])
    await t.send('PUT', '/api/workers/w', { json: { urls, secret } })
  const { items } = (await t.get('/api/audit?action=replaceWorker')).body
  expect(items).toMatchObject([
    { before: { secret: '[redacted]' }, after: { secret: null } },
    { before: { secret: '[redacted]' }, after: { secret: '[redacted, changed]' } },
    { before: { secret: null }, after: { secret: '[redacted]' } },
  ])
})
