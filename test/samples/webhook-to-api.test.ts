import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { parseDocument } from '../../runtime/topology/document.ts'
import { serve } from '../../workers/sdk/src/node.ts'
import { startTickets } from '../../workers/samples/webhook-to-api/tickets.ts'
import { ticketWorker } from '../../workers/samples/webhook-to-api/worker.ts'
import { nodeOf, openApi, secretKey } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { pathOf } from '../hooks/open.ts'
import { janitorOf } from '../queue/compact.ts'
import { eventually } from '../support/eventually.ts'

const folder = 'workers/samples/webhook-to-api'
const secret = 'the secret at GitHub'

/** A control and a bridge. */
async function openEngine(): Promise<TestApi> {
  const t = await openApi()
  const janitor = janitorOf(t, { windowMs: 600_000, leastWindowMs: 600_000 })
  const recorder = await openRecorder({ ...t, janitor, log: silentLog })
  onTestFinished(() => recorder.close())
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
  return t
}

const issue = (number: number, action = 'opened') =>
  JSON.stringify({
    action,
    issue: { number, title: ` Issue ${number} `, html_url: `https://github.com/a/b/issues/${number}` },
    repository: { full_name: 'a/b' },
  })

test('each issue that is opened is one ticket, though deliveries come again and the ticket system is busy', async () => {
  const system = await startTickets({ busyEvery: 4 })
  onTestFinished(() => system.close())
  const serving = await serve(ticketWorker(system.url), { port: 0 })
  onTestFinished(() => serving.close())
  const t = await openEngine()
  await t.post('/api/workers', { name: 'webhook-to-api', urls: [serving.url] })
  const { document, faults } = parseDocument(readFileSync(`${folder}/topology.yaml`, 'utf8'), 'topology.yaml')
  expect(faults).toEqual([])
  await t.post('/api/topologies', document)
  expect((await t.post('/api/topologies/webhook-to-api/publish')).status).toBe(200)
  const { id } = await nodeOf(t, 'webhook-to-api', 'github')
  await t.send('PUT', `/api/nodes/${id}/webhook`, { json: { secret } })
  const path = await pathOf(t, id)
  const send = async (raw: string, delivery: string, event = 'issues', by = secret) => {
    const mac = createHmac('sha256', by).update(raw).digest('hex')
    const headers = { 'x-github-event': event, 'x-github-delivery': delivery, 'x-hub-signature-256': `sha256=${mac}` }
    const json = { ...headers, 'content-type': 'application/json' }
    return (await t.send('POST', path, { token: null, raw, headers: json })).status
  }
  const numbers = Array.from({ length: 12 }, (_, n) => n + 1)
  for (const n of numbers) expect([await send(issue(n), `d${n}`), await send(issue(n), `d${n}`)]).toEqual([202, 202])
  expect(await send(issue(1, 'closed'), 'closed')).toBe(202)
  expect(await send('{"zen":"Design for failure."}', 'ping', 'ping')).toBe(202)
  expect(await send(issue(99), 'forged', 'issues', 'another secret')).toBe(401)
  await eventually('all runs have finished', async () => {
    const { items } = (await t.get('/api/runs?state=finished')).body
    return items.length === numbers.length + 2
  })
  const references = [...system.tickets.values()].map((ticket) => (ticket as { reference: string }).reference)
  expect(references.toSorted()).toEqual(numbers.map((n) => `a/b#${n}`).toSorted())
  expect([...system.tickets.values()]).toContainEqual({
    reference: 'a/b#7',
    title: 'Issue 7',
    link: 'https://github.com/a/b/issues/7',
  })
})

test('its README has ten lines, and names the files of the sample', () => {
  const readme = readFileSync(`${folder}/README.md`, 'utf8')
  expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(10)
  for (const file of ['main.ts', 'worker.ts', 'topology.yaml']) expect(readme).toContain(`${folder}/${file}`)
})
