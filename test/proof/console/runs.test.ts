import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/index.ts'
import { eventually } from '../../support/eventually.ts'
import { chromiumPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openFlow } from '../../console/trash-support.ts'
import type { Flow } from '../../console/trash-support.ts'

/** What is called `held` is answered when the test says so. */
const held: (() => void)[] = []

describe.skipIf(chromiumPath === undefined)('runs, in Chromium', () => {
  let t: TestConsole
  let flow: Flow
  let runId: string
  beforeAll(async () => {
    t = await openConsole()
    flow = await openFlow(t, 'orders', ({ node, body }) => {
      const order = JSON.parse(body) as { id: number; held?: boolean }
      const done = { status: 200, headers: { 'content-type': 'application/json' }, body }
      if (node === 'check' && order.held === true) return new Promise((resolve) => held.push(() => resolve(done)))
      return order.id === 3 ? { status: 422, body: 'no such customer' } : done
    })
    runId = await flow.run(Array.from({ length: 8 }, (_, id) => ({ id })))
  })
  afterAll(async () => {
    await t.close()
    await flow.worker.close()
  })

  const start = (body: unknown) =>
    dataOf(
      t.engine.POST('/api/topologies/{topology}/run', { params: { path: { topology: 'orders' } }, body: { body } }),
    )

  test('a run that begins appears in the list, and leads to where its time went and what became of its messages', async () => {
    const page = await t.page('/runs')
    const list = page.getByRole('grid', { name: 'Runs' })
    await list.getByText('8 messages').waitFor()
    await start({ id: 9 })
    await list.getByText('1 message', { exact: true }).waitFor()
    await keepPicture(page, 'runs-1280-light')
    expect(await hindrances(page)).toEqual([])
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${t.url}/runs/${runId}`)
    const nodes = page.getByRole('list', { name: 'Nodes of the run' })
    await nodes.getByText('store', { exact: true }).waitFor()
    await page.getByText('1 message of it failed').waitFor()
    await nodes
      .getByText(/^from [\d.,]+ m?s on, for [\d.,]+ m?s$/)
      .first()
      .waitFor()
    await keepPicture(page, 'run-1280-light')
    expect(await hindrances(page)).toEqual([])
    await page.getByRole('tab', { name: 'Messages' }).click()
    await page.getByRole('button', { name: /^record 4/ }).click()
    await page.getByRole('link', { name: '422 Unprocessable Entity' }).waitFor()
    await keepPicture(page, 'run-messages-1280-light')
    await page.getByRole('tab', { name: 'What happened' }).click()
    await page.getByText('failed at check').waitFor()
  })

  test('the list keeps to its filter, and the address has it', async () => {
    const page = await t.page('/runs?state=cancelled')
    await page.getByText('No run fits this filter').waitFor()
    await page.getByText('Failed', { exact: true }).click()
    await page.waitForURL(/state=failed/)
    await page.getByRole('grid', { name: 'Runs' }).getByText('8 messages').waitFor()
    await page.goBack()
    await page.getByText('No run fits this filter').waitFor()
  })

  test('a row is a link to its run, which opens here, or in a tab of its own', async () => {
    const page = await t.page('/runs?state=failed')
    const link = page.getByRole('grid', { name: 'Runs' }).getByRole('link', { name: 'orders › start' })
    expect(await link.getAttribute('href')).toBe(`/runs/${runId}`)
    const [other] = await Promise.all([
      page.context().waitForEvent('page'),
      link.click({ modifiers: ['ControlOrMeta'] }),
    ])
    await other.waitForURL(`${t.url}/runs/${runId}`)
    expect(page.url()).toBe(`${t.url}/runs?state=failed`)
    // The keys are still those of the list.
    await page.locator('[role="grid"]:focus').waitFor()
    await link.click()
    await page.waitForURL(`${t.url}/runs/${runId}`)
    await page.goBack()
    await link.waitFor()
  })

  test('the figures of a run move with its messages', async () => {
    const response = await fetch(`${t.url}/start/orders/start?split=records`, {
      method: 'POST',
      headers: { authorization: `Bearer ${t.token}`, 'content-type': 'application/x-ndjson' },
      body: [30, 31].map((id) => JSON.stringify({ id, held: true })).join('\n'),
    })
    const { runId: id } = (await response.json()) as { runId: string }
    await eventually('both are called', () => held.length === 2)
    const page = await t.page(`/runs/${id}`)
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('img', { name: '2 in progress' }).waitFor()
    held.splice(0, 1).forEach((answer) => answer())
    await page.getByRole('img', { name: '1 done, 1 in progress' }).waitFor()
    held.splice(0).forEach((answer) => answer())
    await page.getByRole('img', { name: '2 done' }).waitFor()
  })

  test('cancelling says how many messages are under way; what the run began with is shown, and runs again', async () => {
    const { runId: id } = await start({ id: 20, held: true, note: 'hold it' })
    await eventually('it is called', () => held.length === 1)
    const page = await t.page(`/runs/${id}`)
    await page.getByRole('button', { name: 'Cancel…' }).click()
    await page.getByRole('dialog').getByText('1 message', { exact: true }).waitFor()
    await keepPicture(page, 'run-cancel-1280-light')
    await page.getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByText('cancelling').waitFor()
    held.splice(0).forEach((answer) => answer())
    await page.getByText('cancelled', { exact: true }).first().waitFor()
    await page.getByRole('tab', { name: 'Start message' }).click()
    await page.getByText('"hold it"').waitFor()
    await page.getByRole('button', { name: 'Run again…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Run again', exact: true }).click()
    await page.getByRole('link', { name: 'repeats a run' }).waitFor()
    await eventually('it is called again', () => held.length === 1)
    held.splice(0).forEach((answer) => answer())
    await page.getByText('finished').first().waitFor()
  })

  test('a run goes again from a node, with what entered that node, and the run before it stays as it is', async () => {
    const calls = (node: string) => flow.worker.seen.filter((seen) => seen.node === node).length
    const before = [calls('check'), calls('store')]
    const page = await t.page(`/runs/${runId}`)
    await page.getByRole('button', { name: 'Run again…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Run again' })
    await dialog.getByRole('combobox', { name: 'From' }).click()
    await page.getByRole('option', { name: 'check (8 messages settled there)' }).waitFor()
    await page.getByRole('option', { name: 'store (7 messages settled there)' }).click()
    await dialog.getByRole('button', { name: 'Run again', exact: true }).click()
    await page.getByRole('link', { name: 'repeats a run' }).waitFor()
    await page.getByText('finished').first().waitFor()
    expect([calls('check'), calls('store')]).toEqual([before[0], before[1]! + 7])
    await page.getByRole('link', { name: 'repeats a run' }).click()
    await page.waitForURL(`${t.url}/runs/${runId}`)
    await page.getByText('1 message of it failed').waitFor()
  })
})
