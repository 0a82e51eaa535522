import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { insertToken, newTokenText } from '../../../runtime/store/queries/tokens.ts'
import { card, form, palette, saved } from '../../console/drawing.ts'
import { chromiumPath, hindrances, keepPicture, openConsole, looks } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { eventually } from '../../support/eventually.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import type { FakeWorker } from '../../support/fake-worker.ts'

/** What the worker says that its node `list` takes. */
const settings = {
  type: 'object',
  required: ['region'],
  properties: {
    region: { type: 'string', enum: ['eu', 'us'], description: 'Which shop' },
    pageSize: { type: 'integer', minimum: 1, maximum: 250, default: 100 },
    since: { type: 'string', pattern: '^\\d{4}$' },
    fields: { type: 'array', items: { type: 'string' } },
    dryRun: { type: 'boolean' },
    address: { type: 'object', properties: { host: { type: 'string' } }, required: ['host'] },
    rules: { type: 'array', items: { type: 'object' } },
  },
}
const manifest = {
  protocol: 1,
  worker: 'shop',
  version: '1.4.2',
  nodes: [
    { name: 'list', type: 'batch', title: 'Orders', description: 'page by page', settings },
    { name: 'store', type: 'connector', defaults: { prefetch: 5 } },
  ],
}

/** Middle of the only edge on the screen. */
const middleOfEdge = `(() => {
  const path = document.querySelector('.react-flow__edge-path')
  const { x, y } = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM())
  return [x, y]
})()`

/** Pixels between what opens the palette and where nodes can be seen. */
async function roomBelowOpener(page: Page): Promise<number> {
  const opener = await page.getByRole('button', { name: 'Add a node' }).boundingBox()
  const canvas = await page.getByLabel('The graph of the draft').boundingBox()
  return (canvas?.y ?? 0) - ((opener?.y ?? 0) + (opener?.height ?? Infinity))
}

describe.skipIf(chromiumPath === undefined)('the editor, in Chromium', () => {
  let t: TestConsole
  let worker: FakeWorker

  beforeAll(async () => {
    t = await openConsole()
    const json = { 'content-type': 'application/json' }
    worker = await fakeWorker(
      ({ node }) => (node === 'list' ? { headers: json, body: '[{"id":1}]' } : { status: 204 }),
      0,
      () => ({ headers: json, body: JSON.stringify(manifest) }),
    )
    await dataOf(t.engine.POST('/api/workers', { body: { name: 'shop', urls: [worker.url], dialect: 'native' } }))
    await dataOf(t.engine.POST('/api/workers/{name}/refresh', { params: { path: { name: 'shop' } } }))
  })
  afterAll(async () => {
    await t.close()
    await worker.close()
  })

  const create = (name: string, more: object = {}) =>
    dataOf(t.engine.POST('/api/topologies', { body: { name, nodes: [], edges: [], ...more } }))
  const draftOf = async (topology: string) =>
    (await dataOf(t.engine.GET('/api/topologies/{topology}', { params: { path: { topology } } }))).document
  const graph = { nodes: [{ name: 'begin', type: 'start' as const }] }

  test('a topology is drawn by mouse, its settings are filled in by their schema, it is saved, published, and a run flows through it', async () => {
    const page = await t.page('/topologies')
    await page.getByRole('button', { name: 'New topology' }).click()
    const asking = page.getByRole('dialog', { name: 'New topology' })
    await asking.getByRole('textbox', { name: 'Name' }).fill('Drawn')
    await asking.getByRole('button', { name: 'Create and open' }).click()
    await asking.getByText('found "Drawn"').waitFor()
    await asking.getByRole('textbox', { name: 'Name' }).fill('drawn')
    await asking.getByRole('button', { name: 'Create and open' }).click()
    await page.getByRole('heading', { name: 'Edit drawn' }).waitFor()
    await page.getByText('there is no event node').waitFor()
    const canvas = page.getByLabel('The graph of the draft')
    await palette(page, 'start').dragTo(canvas, { targetPosition: { x: 130, y: 150 } })
    await palette(page, 'list').dragTo(canvas, { targetPosition: { x: 330, y: 400 } })
    await page.getByText('no event node leads to list').first().waitFor()
    const from = page.locator('.react-flow__node', { hasText: 'begins runs' }).locator('.source')
    const to = page.locator('.react-flow__node', { hasText: 'shop / list' }).locator('.target')
    await from.dragTo(to)
    await page.locator('.react-flow__edge-path').waitFor({ state: 'attached' })
    const [x = 0, y = 0] = await page.evaluate<number[]>(middleOfEdge)
    await page.mouse.click(x, y)
    await page.keyboard.press('Delete')
    await page.locator('.react-flow__edge').waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'Undo' }).click()
    await card(page, 'list').click()
    await page.getByText('no event node leads to list').first().waitFor({ state: 'detached' })
    // By the schema of the worker: a fault at its field, which goes when it is mended.
    await form(page, 'list').getByRole('tab', { name: 'Settings' }).click()
    await form(page, 'list').getByText('is required').first().waitFor()
    await form(page, 'list').getByRole('combobox', { name: 'region' }).click()
    await page.getByRole('option', { name: 'eu' }).click()
    await form(page, 'list').getByRole('textbox', { name: 'pageSize' }).fill('300')
    await form(page, 'list').getByText('300 is greater than').first().waitFor()
    await form(page, 'list').getByRole('textbox', { name: 'pageSize' }).fill('50')
    await page.getByText('Ready to publish').waitFor()
    await form(page, 'list').getByRole('textbox', { name: 'rules' }).fill('[{"a": }]')
    await form(page, 'list').getByText('at line 1, column 8').waitFor()
    await form(page, 'list').getByRole('textbox', { name: 'rules' }).fill('[{"a": 1}]')
    await palette(page, 'store').click()
    await page.getByText('Unsaved changes').waitFor()
    await page.getByRole('button', { name: 'Save draft' }).click()
    await saved(page).waitFor()
    expect(await draftOf('drawn')).toMatchObject({
      nodes: [
        { name: 'start', type: 'start' },
        { name: 'list', type: 'batch', worker: 'shop', settings: { region: 'eu', pageSize: 50, rules: [{ a: 1 }] } },
        { name: 'store', type: 'connector', worker: 'shop' },
      ],
      edges: [
        { from: 'start', to: 'list' },
        { from: 'list', to: 'store' },
      ],
    })
    await page.getByRole('button', { name: 'Publish…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Publish', exact: true }).click()
    await eventually('it is published', async () => {
      const params = { path: { topology: 'drawn' } }
      return (await dataOf(t.engine.GET('/api/topologies/{topology}', { params }))).visibility === 'public'
    })
    const params = { path: { topology: 'drawn' } }
    await dataOf(t.engine.POST('/api/topologies/{topology}/run', { params, body: {} }))
    await eventually('a record is stored', async () => worker.seen.some(({ node }) => node === 'store'))
    const call = worker.seen.find(({ node }) => node === 'list')
    const given = Buffer.from(String(call?.headers['sluice-settings']), 'base64url').toString()
    expect(JSON.parse(given)).toEqual({ region: 'eu', pageSize: 50, rules: [{ a: 1 }] })
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click()
    await card(page, 'store').click()
    await form(page, 'store').getByRole('button', { name: 'Try it on a message…' }).click()
    const trial = page.getByRole('dialog', { name: 'Try store' })
    await trial.getByText('From its queue').waitFor()
    await trial.getByRole('button', { name: 'Call it once' }).click()
    await trial.getByRole('region', { name: 'What came of the call' }).waitFor()
  })

  test('all of it goes by keyboard: adding, joining, renaming, removing, undo and redo', async () => {
    await create('keyed')
    const page = await t.page('/topologies/keyed/edit')
    await palette(page, 'start').focus()
    await page.keyboard.press('Enter')
    await form(page, 'start').waitFor()
    await palette(page, 'list').focus()
    await page.keyboard.press('Enter')
    // It follows the node that was selected.
    await form(page, 'list').getByRole('button', { name: 'comes from start' }).waitFor()
    await form(page, 'list').getByRole('button', { name: 'comes from start' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('no event node leads to list').first().waitFor()
    await form(page, 'list').getByRole('combobox', { name: 'Comes from' }).focus()
    await page.getByRole('option', { name: 'start' }).waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByText('no event node leads to list').first().waitFor({ state: 'detached' })
    await form(page, 'list').getByRole('textbox', { name: 'Name' }).fill('orders')
    await page.getByRole('button', { name: 'Save draft' }).focus()
    await page.keyboard.press('Control+s')
    await saved(page).waitFor()
    expect(await draftOf('keyed')).toMatchObject({
      nodes: [{ name: 'start' }, { name: 'orders', uses: 'list', worker: 'shop' }],
      edges: [{ from: 'start', to: 'orders' }],
    })
    await card(page, 'orders').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('Delete')
    await card(page, 'orders').waitFor({ state: 'detached' })
    await page.keyboard.press('Control+z')
    await card(page, 'orders').waitFor()
    await saved(page).waitFor()
    await page.keyboard.press('Control+Shift+z')
    await card(page, 'orders').waitFor({ state: 'detached' })
    const search = page.getByRole('textbox', { name: 'Search what can be added' })
    await search.fill('hook')
    await page.keyboard.press('Control+z')
    await search.fill('list')
    await palette(page, 'list').waitFor()
    expect(await card(page, 'orders').count()).toBe(0)
  })

  test('a webhook has its address beside its form once it is saved', async () => {
    await create('hooked', { nodes: [{ name: 'paid', type: 'webhook' }] })
    const page = await t.page('/topologies/hooked/edit')
    await card(page, 'paid').click()
    const params = { path: { topology: 'hooked' } }
    const { items } = await dataOf(t.engine.GET('/api/topologies/{topology}/nodes', { params }))
    const hook = await dataOf(t.engine.GET('/api/nodes/{id}/webhook', { params: { path: { id: items[0]?.id ?? '' } } }))
    await form(page, 'paid')
      .getByRole('region', { name: 'Address' })
      .getByText(hook.url ?? 'none')
      .waitFor()
    await palette(page, 'webhook').click()
    await form(page, 'webhook').getByText('made when the draft is saved').waitFor()
    await page.getByRole('button', { name: 'Save draft' }).click()
    await form(page, 'webhook')
      .getByText(/\/hooks\/\S+\/webhook\//)
      .waitFor()
  })

  test('what the engine refuses stands on the node and at the field, and the strip leads there', async () => {
    const faulty = { name: 'call', type: 'connector', worker: 'nobody', retry: { baseMs: 500, maxMs: 100 } }
    await create('faulty', { nodes: [...graph.nodes, faulty], edges: [{ from: 'begin', to: 'call' }] })
    const page = await t.page('/topologies/faulty/edit')
    await page.getByText('2 faults to mend').click()
    await page.getByRole('button', { name: 'call, connector, 2 faults' }).waitFor()
    await page.getByRole('list', { name: 'What is to be mended' }).getByText('must not be less than').click()
    const longest = form(page, 'call').getByRole('textbox', { name: 'Longest delay' })
    await longest.and(page.locator(':focus')).waitFor()
    await longest.fill('700')
    await form(page, 'call').getByText('must not be less than').waitFor({ state: 'detached' })
    await form(page, 'call').getByRole('tab', { name: /^Node/ }).click()
    await form(page, 'call').getByText('there is no worker "nobody"').waitFor()
    await form(page, 'call').getByRole('textbox', { name: 'Name' }).fill('Call it')
    await page.getByRole('button', { name: 'Save draft' }).click()
    await form(page, 'call').or(form(page, 'Call it')).getByText('found "Call it"').first().waitFor()
  })

  test('when somebody else was faster nothing is lost: theirs can be taken, undo brings back mine, and mine can be saved over it', async () => {
    await create('raced', graph)
    const page = await t.page('/topologies/raced/edit')
    await palette(page, 'list').click()
    const params = { path: { topology: 'raced' } }
    const theirs = { name: 'raced', nodes: [{ name: 'theirs', type: 'start' as const }], edges: [] }
    const saveTheirs = () => dataOf(t.engine.PUT('/api/topologies/{topology}', { params, body: theirs }))
    await saveTheirs()
    await page.getByRole('button', { name: 'Save draft' }).click()
    const dialog = page.getByRole('dialog', { name: 'Somebody else has saved it meanwhile' })
    await dialog.getByText('by admin').or(dialog.getByText(/by/)).first().waitFor()
    await dialog.getByRole('button', { name: 'Take what is stored' }).click()
    await card(page, 'theirs').waitFor()
    await saved(page).waitFor()
    await page.keyboard.press('Control+z')
    await card(page, 'list').waitFor()
    // A pause makes another version, too, but of the same draft: that is no race.
    await dataOf(t.engine.PATCH('/api/topologies/{topology}', { params, body: { enabled: false } }))
    await page.getByRole('button', { name: 'Save draft' }).click()
    await saved(page).waitFor()
    expect((await draftOf('raced')).nodes.map(({ name }) => name)).toEqual(['begin', 'list'])
    await saveTheirs()
    await palette(page, 'webhook').click()
    await page.getByRole('button', { name: 'Save draft' }).click()
    await dialog.getByRole('button', { name: 'Save mine over it' }).click()
    await saved(page).waitFor()
    expect((await draftOf('raced')).nodes.map(({ name }) => name)).toEqual(['begin', 'list', 'webhook'])
  })

  test('a login that ends takes nothing of what was drawn: after the next one it is back, until it is saved', async () => {
    await create('outlived', graph)
    const page = await t.page('/topologies/outlived/edit')
    await palette(page, 'list').click()
    await page.context().clearCookies()
    await page.getByRole('button', { name: 'Save draft' }).click()
    await page.getByLabel('Token').fill(t.token)
    await page.keyboard.press('Enter')
    await page.getByText('What you had drawn is back').waitFor()
    await card(page, 'list').waitFor()
    await page.getByRole('button', { name: 'Save draft' }).click()
    await saved(page).waitFor()
    await page.getByText('What you had drawn is back').waitFor({ state: 'detached' })
    expect((await draftOf('outlived')).nodes.map(({ name }) => name)).toEqual(['begin', 'list'])
  })

  test('what somebody else saved isn’t published unasked, and what of it would be overwritten is shown, also when they save once more', async () => {
    await create('watched', graph)
    const page = await t.page('/topologies/watched/edit')
    await card(page, 'begin').waitFor()
    const params = { path: { topology: 'watched' } }
    const saveTheirs = (name: string) =>
      dataOf(
        t.engine.PUT('/api/topologies/{topology}', {
          params,
          body: { name: 'watched', nodes: [{ name, type: 'start' }], edges: [] },
        }),
      )
    await saveTheirs('theirs')
    await page.getByRole('button', { name: 'Publish…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Somebody else has saved it meanwhile' })
    await dialog.getByRole('listitem').filter({ hasText: 'node theirs removed' }).waitFor()
    await saveTheirs('newer')
    await dialog.getByRole('button', { name: 'Save mine over it' }).click()
    await dialog.getByRole('alert').waitFor()
    await dialog.getByRole('listitem').filter({ hasText: 'node newer removed' }).waitFor()
    await dialog.getByRole('button', { name: 'Save mine over it' }).click()
    await dialog.waitFor({ state: 'detached' })
    await eventually('it is stored', async () => (await draftOf('watched')).nodes[0]?.name === 'begin')
  })

  test('what is imported is what is edited from then on, and undo brings back what was drawn', async () => {
    await create('imported', graph)
    const page = await t.page('/topologies/imported/edit')
    await card(page, 'begin').click()
    await palette(page, 'list').click()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: /^Export as BPMN.*as it is saved/ }).waitFor()
    await page.getByRole('menuitem', { name: 'Import…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Import into imported' })
    await dialog.getByText('What you have drawn isn’t saved').waitFor()
    const text = 'name: imported\nnodes:\n  - { name: hook, type: webhook }'
    await dialog.getByRole('textbox', { name: 'Document' }).fill(text)
    await dialog.getByRole('button', { name: 'Replace the draft' }).click()
    await card(page, 'hook').waitFor()
    await saved(page).waitFor()
    await page.keyboard.press('Control+z')
    await card(page, 'list').waitFor()
    // What is drawn is what is published, so it is saved first.
    await page.getByRole('button', { name: 'Publish…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Publish', exact: true }).click()
    const params = { path: { topology: 'imported' } }
    await eventually('it is published', async () => {
      const { visibility } = await dataOf(t.engine.GET('/api/topologies/{topology}', { params }))
      return visibility === 'public'
    })
    expect((await draftOf('imported')).nodes.map(({ name }) => name)).toEqual(['begin', 'list'])
  })

  test('whoever leaves without saving is asked: by a link, and by Back', async () => {
    await create('left', graph)
    const page = await t.page('/topologies/left')
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    await palette(page, 'cron').click()
    await page.getByRole('link', { name: 'Runs' }).click()
    const dialog = page.getByRole('dialog', { name: 'Leave without saving?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await card(page, 'cron').waitFor()
    await page.goBack()
    await dialog.getByRole('button', { name: 'Leave' }).click()
    await page.getByRole('button', { name: 'Edit', exact: true }).waitFor()
    expect((await draftOf('left')).nodes).toHaveLength(1)
  })

  test('whoever may not design is told why, and sees nothing that could be pressed in vain', async () => {
    await create('looked-at', graph)
    const token = newTokenText()
    await insertToken(t.store, token, { name: 'viewer', scopes: ['read'], topologyId: null, expiresAt: null })
    const page = await t.page('/topologies/looked-at', { token })
    await page.getByRole('button', { name: 'Edit', exact: true }).focus()
    await page.getByRole('tooltip').getByText('lacks the scope “design”').waitFor()
    await page.goto(`${t.url}/topologies/looked-at/edit`)
    await page.getByText('lacks the scope “design”').waitFor()
    expect(await page.getByRole('button', { name: 'Save draft' }).count()).toBe(0)
  })

  test.each(looks)('in %s nothing hinders people, %i pixels wide', async (scheme, width) => {
    const name = `looks-${scheme}-${width}`
    const nodes = [
      ...graph.nodes,
      { name: 'every-night', type: 'cron', cron: '30 2 * * *', timezone: 'Europe/Prague' },
      { name: 'list', type: 'batch', worker: 'shop', watermark: {}, settings: { region: 'mars', other: { kept: 1 } } },
      { name: 'store', type: 'connector', worker: 'shop', service: 'nobody', prefetch: 5 },
    ]
    const edges = [
      { from: 'begin', to: 'list' },
      { from: 'every-night', to: 'list' },
      { from: 'list', to: 'store' },
    ]
    await create(name, { nodes, edges })
    const page = await t.page(`/topologies/${name}/edit`, { scheme, width })
    const found: string[] = []
    const kept = async (what: string): Promise<void> => {
      await keepPicture(page, `editor-${what}-${width}-${scheme}`)
      found.push(...(await hindrances(page)).map((one) => `${what} at ${width}: ${one}`))
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
      if (wide > width) found.push(`${what} is ${wide} wide at ${width}`)
    }
    await page.getByText('1 fault to mend').click()
    if (width < 600) {
      await page.getByRole('button', { name: 'Add a node' }).click()
      await kept('palette')
      await page.getByRole('button', { name: 'Close what can be added' }).click()
      await kept('graph')
      expect(await roomBelowOpener(page)).toBeGreaterThanOrEqual(8)
    }
    await card(page, 'list').click()
    for (const tab of ['Calls', 'Settings']) {
      await page.getByRole('tab', { name: new RegExp(`^${tab}`) }).click()
      await kept(tab.toLowerCase())
    }
    if (width > 600) {
      await card(page, 'every-night').click()
      await page.getByRole('list', { name: 'The next firings' }).waitFor()
      await kept('event')
    }
    await page.close()
    expect(found).toEqual([])
  })
})
