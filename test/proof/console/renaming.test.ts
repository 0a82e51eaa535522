import { afterAll, beforeAll, describe, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { chain } from '../../api/open.ts'
import { card, form, palette, saved } from '../../console/drawing.ts'
import { chromiumPath, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'

describe.skipIf(chromiumPath === undefined)('topologies under other names, in Chromium', () => {
  let t: TestConsole
  beforeAll(async () => {
    t = await openConsole()
  })
  afterAll(() => t.close())

  test('under another name it is the same drawing: what is selected stays, and undo goes back before it', async () => {
    const document = { name: 'first-name', nodes: [{ name: 'begin', type: 'start' as const }], edges: [] }
    await dataOf(t.engine.POST('/api/topologies', { body: document }))
    const page = await t.page('/topologies/first-name/edit')
    await page.getByRole('button', { name: 'Details' }).click()
    const name = page.getByRole('complementary', { name: 'The topology' }).getByRole('textbox', { name: 'Name' })
    await name.fill('other-name')
    await card(page, 'begin').click()
    await palette(page, 'webhook').click()
    await page.getByRole('button', { name: 'Save draft' }).click()
    await page.waitForURL(`${t.url}/topologies/other-name/edit`)
    await page.getByRole('heading', { name: 'Edit other-name' }).waitFor()
    await saved(page).waitFor()
    await form(page, 'webhook').waitFor()
    await page.keyboard.press('Control+z')
    await card(page, 'webhook').waitFor({ state: 'detached' })
    await card(page, 'begin').waitFor()
    await page.keyboard.press('Control+Shift+z')
    await card(page, 'webhook').waitFor()
    await saved(page).waitFor()
  })

  test('a new topology has an address, and one that is called “new” has its own', async () => {
    const page = await t.page('/topologies?new')
    const asking = page.getByRole('dialog', { name: 'New topology' })
    await asking.getByRole('button', { name: 'Cancel' }).click()
    await page.waitForURL(`${t.url}/topologies`)
    await page.getByRole('button', { name: 'New topology' }).click()
    await asking.getByRole('textbox', { name: 'Name' }).fill('new')
    await asking.getByRole('button', { name: 'Create and open' }).click()
    await page.waitForURL(`${t.url}/topologies/new/edit`)
    await page.goBack()
    await page.waitForURL(`${t.url}/topologies`)
    await page.goto(`${t.url}/topologies/new`)
    await page.getByRole('heading', { name: 'new', exact: true }).waitFor()
    await page.getByText('It has no nodes yet').waitFor()
  })

  test('another name that nobody has published yet reaches pages that are open', async () => {
    const { id } = await dataOf(t.engine.POST('/api/topologies', { body: chain('only-drawn') as never }))
    const [list, one] = [await t.page('/topologies'), await t.page('/topologies/only-drawn')]
    await list.getByRole('row', { name: /^only-drawn/ }).waitFor()
    await one.getByRole('heading', { name: 'only-drawn' }).waitFor()
    for (const page of [list, one]) await page.getByText('Live', { exact: true }).waitFor()
    const params = { path: { topology: id } }
    await dataOf(t.engine.PUT('/api/topologies/{topology}', { params, body: chain('drawn-anew') as never }))
    await list.getByRole('row', { name: /^drawn-anew/ }).waitFor()
    await one.waitForURL(`${t.url}/topologies/drawn-anew`)
    await one.getByRole('heading', { name: 'drawn-anew' }).waitFor()
  })

  test('a topology is followed when it gets another name; what can’t be read again stays, and says since when it is old', async () => {
    const { id } = await dataOf(t.engine.POST('/api/topologies', { body: chain('moved') as never }))
    await dataOf(
      t.engine.POST('/api/workers', { body: { name: 'w', urls: ['http://127.0.0.1:1'], dialect: 'native' } }),
    )
    const byId = { path: { topology: id } }
    const page = await t.page('/topologies/moved?node=a')
    await page.getByRole('complementary', { name: 'Node a' }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    await dataOf(t.engine.PUT('/api/topologies/{topology}', { params: byId, body: chain('moved-on') as never }))
    await dataOf(t.engine.POST('/api/topologies/{topology}/publish', { params: byId }))
    await page.waitForURL(`${t.url}/topologies/moved-on?node=a`)
    await page.getByRole('heading', { name: 'moved-on' }).waitFor()
    await page.route('**/nodes', (route) => route.abort())
    await dataOf(t.engine.PATCH('/api/topologies/{topology}', { params: byId, body: { paused: true } }))
    const old = page.getByRole('status').filter({ hasText: /Not updated since \d\d:\d\d: the engine can’t be reached/ })
    await old.waitFor()
    await page.getByRole('complementary', { name: 'Node a' }).waitFor()
    await page.unroute('**/nodes')
    await old.getByRole('button', { name: 'Try again' }).click()
    await old.waitFor({ state: 'detached' })
  })
})
