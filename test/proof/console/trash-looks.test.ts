import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { looksPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openFlow } from '../../console/trash-support.ts'
import type { Flow } from '../../console/trash-support.ts'

const customer = { name: 'Ann', address: { street: 'Lidická 12', zip: '6020' }, tags: ['new', 'eu'] }

describe.skipIf(looksPath === undefined)('what is edited and replayed of Trash, as people see it', () => {
  let t: TestConsole
  let flow: Flow
  let trashId: string
  beforeAll(async () => {
    t = await openConsole()
    flow = await openFlow(t, 'orders', ({ node, body }) => {
      if (node === 'check') return { status: 200, headers: { 'content-type': 'application/json' }, body }
      if (!body.includes('6020')) return { status: 200, body: '' }
      return { status: 422, body: 'customer.address.zip: expected five digits' }
    })
    await flow.run([{ id: 1 }, { id: 2 }, { id: 3, customer }, { id: 4, customer }, { id: 5 }])
    trashId = (await t.engine.list('/api/trash'))[0]!.id
  })
  afterAll(async () => {
    await t.close()
    await flow.worker.close()
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
