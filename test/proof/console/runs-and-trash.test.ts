import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { looksPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openFlow } from '../../console/trash-support.ts'
import type { Flow } from '../../console/trash-support.ts'

const customer = { name: 'Ann', address: { street: 'Lidická 12', zip: '6020' }, tags: ['new', 'eu'] }

describe.skipIf(looksPath === undefined)('pages of runs and Trash, in Chromium', () => {
  let t: TestConsole
  let flow: Flow
  let runId: string
  let trashId: string
  beforeAll(async () => {
    t = await openConsole()
    flow = await openFlow(t, 'orders', ({ node, body }) => {
      if (node === 'check') return { status: 200, headers: { 'content-type': 'application/json' }, body }
      if (!body.includes('6020')) return { status: 200, body: '' }
      return { status: 422, body: 'customer.address.zip: expected five digits' }
    })
    runId = await flow.run([{ id: 1 }, { id: 2 }, { id: 3, customer }, { id: 4, customer }, { id: 5 }])
    trashId = (await t.engine.list('/api/trash'))[0]!.id
  })
  afterAll(async () => {
    await t.close()
    await flow.worker.close()
  })

  const pages = (): [name: string, path: string, seen: (page: Page) => Promise<void>][] => [
    ['runs', '/runs', (page) => page.getByText('5 messages').waitFor()],
    ['run', `/runs/${runId}`, (page) => page.getByText('2 messages of it failed').waitFor()],
    ['trash-kinds', '/trash', (page) => page.getByText('2 messages of 1 kind').waitFor()],
    ['trash-messages', '/trash?view=messages', (page) => page.getByRole('row').first().waitFor()],
    ['trash-message', `/trash/${trashId}`, (page) => page.getByText('"Ann"').first().waitFor()],
    ['trash-nothing', '/trash?text=nothing', (page) => page.getByText('Nothing open fits this filter').waitFor()],
  ]

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('in %s at %i px nothing hinders people', async (scheme, width) => {
    for (const [name, path, seen] of pages()) {
      const page = await t.page(path, { scheme, width })
      await seen(page)
      await keepPicture(page, `${name}-${width}-${scheme}`)
      expect([name, await hindrances(page)]).toEqual([name, []])
      await page.context().close()
    }
  })

  test('the editor and the dialog of a bulk hinder nobody', async () => {
    for (const width of [1280, 390]) {
      const page = await t.page(`/trash?message=${trashId}`, { width, scheme: 'dark' })
      await page.getByRole('button', { name: 'Edit', exact: true }).click()
      await page.getByRole('textbox', { name: /^Body/ }).fill('{ "id": 3, "customer": null }')
      await page.getByText('As you have it', { exact: false }).waitFor()
      await keepPicture(page, `trash-edit-${width}-dark`)
      expect(await hindrances(page)).toEqual([])
      await page.getByRole('button', { name: 'Close the message' }).click()
      await page.getByRole('button', { name: 'Replay all…' }).click()
      await page.getByText('Preview on 2').waitFor()
      await keepPicture(page, `trash-bulk-dialog-${width}-dark`)
      expect(await hindrances(page)).toEqual([])
      await page.context().close()
    }
  })
})
