import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/index.ts'
import { eventually } from '../../support/eventually.ts'
import { chromiumPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openFlow } from '../../console/trash-support.ts'
import type { Flow } from '../../console/trash-support.ts'
import type { Answer } from '../../support/fake-worker.ts'

const refused = (title: string, detail: string) => ({
  status: 422,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'urn:shop:invalid', title, status: 422, detail }),
})

/** What is out of stock is refused; while there is some, it is answered when the test says so. */
let stock: (() => void)[] | null = null

/** Orders with a zip that isn't five digits are refused, and those of a shop that is down fail. */
function answer({ node, body }: { readonly node: string; readonly body: string }): Answer | Promise<Answer> {
  const order = JSON.parse(body) as { id: number; zip?: string; shop?: string; country?: string; isScarce?: boolean }
  if (node === 'check') return { status: 200, headers: { 'content-type': 'application/json' }, body }
  const waiting = stock
  if (order.isScarce === true && waiting === null) return refused('It is out of stock', 'nothing is left of it')
  if (order.isScarce === true) return new Promise((resolve) => waiting?.push(() => resolve({ status: 204 })))
  if (order.shop === 'down') return { status: 502, body: 'upstream is away' }
  if (order.country === '') return refused('The country is missing', `order ${order.id} has no country`)
  if (!/^\d{5}$/.test(order.zip ?? ''))
    return refused('The zip is none', `order ${order.id} has the zip "${order.zip}"`)
  return { status: 200, body: '' }
}

describe.skipIf(chromiumPath === undefined)('Trash, in Chromium', () => {
  let t: TestConsole
  let flow: Flow | undefined
  let runId: string
  beforeAll(async () => {
    t = await openConsole()
    flow = await openFlow(t, 'orders', answer)
    runId = await flow.run([
      ...Array.from({ length: 30 }, (_, id) => ({ id, zip: '12345' })),
      ...Array.from({ length: 3 }, (_, id) => ({
        id: 100 + id,
        zip: '1234',
        customer: { name: 'Ann', tags: ['a', 'b'] },
      })),
      ...Array.from({ length: 12 }, (_, id) => ({ id: 200 + id, zip: '54321', country: '' })),
      { id: 300, zip: '12345', shop: 'down' },
    ])
  })
  afterAll(async () => {
    await t.close()
    await flow?.worker.close()
  })

  const trash = (state: 'open' | 'replayed' | 'discarded') =>
    t.engine.list('/api/trash', { query: { topology: 'orders', state } })

  test('kinds of failures lead to their messages, and a message says in plain words why it failed', async () => {
    const page = await t.page('/trash')
    await page.getByText('16 messages of 3 kinds').waitFor()
    await keepPicture(page, 'trash-kinds-1280-light')
    await page.getByRole('link', { name: /The zip is none/ }).click()
    await page.getByRole('grid', { name: 'Messages in Trash' }).getByText('The zip is none').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    const panel = page.getByRole('region', { name: 'Message' })
    await panel.getByText('The worker of “store” refused this message (422)', { exact: false }).waitFor()
    await panel
      .getByText(/order \d+ has the zip "1234"/)
      .first()
      .waitFor()
    await panel.getByRole('treeitem', { name: /zip/ }).waitFor()
    await keepPicture(page, 'trash-message-1280-light')
    const first = page.url()
    await page.keyboard.press('j')
    await page.waitForURL((url) => url.href !== first)
    await panel.getByRole('tab', { name: 'Attempts 1' }).click()
    await panel.getByRole('cell', { name: '422' }).waitFor()
    const shared = await t.page(new URL(page.url()).pathname + new URL(page.url()).search)
    await shared.getByRole('region', { name: 'Message' }).getByRole('heading', { name: 'The zip is none' }).waitFor()
    await page.keyboard.press('Escape')
    await panel.waitFor({ state: 'detached' })
  })

  test('a row is a link to its message, and keys go on from where it was pressed', async () => {
    const page = await t.page('/trash?view=messages&text=zip')
    const links = page.getByRole('grid', { name: 'Messages in Trash' }).getByRole('link')
    await links.nth(2).waitFor()
    const hrefs = await Promise.all([0, 1].map((at) => links.nth(at).getAttribute('href')))
    const zips = (await trash('open')).filter(({ error }) => error.title === 'The zip is none')
    expect(hrefs).toEqual(zips.slice(0, 2).map(({ id }) => `/trash?view=messages&text=zip&message=${id}`))
    await links.first().click()
    await page.waitForURL(`${t.url}${hrefs[0]}`)
    await page.keyboard.press('ArrowDown')
    await page.waitForURL(`${t.url}${hrefs[1]}`)
    await page.getByRole('region', { name: 'Message' }).getByText('The zip is none').first().waitFor()
  })

  test('a message is edited, what differs is shown, what does not fit the schema is told, and it is replayed', async () => {
    const [row] = (await trash('open')).filter(({ error }) => error.title === 'The zip is none')
    const page = await t.page(`/trash?message=${row!.id}`)
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    const body = page.getByRole('textbox', { name: /^Body/ })
    await body.fill('{ "id": 100, ')
    await page.getByText(/This is no JSON at line 1/).waitFor()
    await body.fill('{\n  "id": 100,\n  "zip": "123"\n}')
    await page.getByText('As you have it', { exact: false }).waitFor()
    await page.getByRole('textbox', { name: 'Reason' }).fill('the zip was cut off')
    await keepPicture(page, 'trash-edit-1280-light')
    await page.getByRole('button', { name: 'Save and replay' }).click()
    await page.getByText('It is saved, but the node may not take the body').waitFor()
    await keepPicture(page, 'trash-warnings-1280-light')
    await page.getByRole('button', { name: 'Edit it' }).click()
    await body.fill('{\n  "id": 100,\n  "zip": "12345"\n}')
    await page.route('**/replay', (route) => route.abort(), { times: 1 })
    await page.getByRole('button', { name: 'Save and replay' }).click()
    await page.getByText('Version 2 is saved, but may not have been sent').waitFor()
    await page.getByRole('button', { name: 'Replay it again' }).click()
    await page.getByText('On its way again').waitFor()
    await eventually('it is replayed', async () => (await trash('replayed')).some(({ id }) => id === row!.id))
    const panel = page.getByRole('region', { name: 'Message' })
    await panel.getByText(/^Replayed/).waitFor()
    await panel.getByRole('tab', { name: 'Edits 2' }).click()
    await panel.getByText('the zip was cut off').first().waitFor()
    await keepPicture(page, 'trash-versions-1280-light')
    const seen = flow!.worker.seen.filter(({ node, body }) => node === 'store' && body.includes('"id": 100'))
    expect(seen.at(-1)?.body).toContain('"zip": "12345"')
  })

  test('a whole kind is replayed with a patch, after a preview, and its progress is seen to its end', async () => {
    const page = await t.page('/trash')
    await page.getByRole('button', { name: 'Replay 12…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Preview on 10').waitFor()
    await dialog.getByRole('combobox', { name: 'Before they are sent' }).click()
    await page.getByRole('option', { name: /merge patch/ }).click()
    await dialog.getByRole('textbox', { name: 'Patch' }).fill('{ "country": "DE" }')
    await dialog.getByText('/country').first().waitFor()
    await keepPicture(page, 'trash-bulk-dialog-1280-light')
    await dialog.getByRole('button', { name: 'Replay 12', exact: true }).click()
    await page.waitForURL(/\/trash\/bulks\/./)
    await page.getByText('finished').waitFor({ timeout: 20_000 })
    await page.getByText('12 done').waitFor()
    await keepPicture(page, 'trash-bulk-1280-light')
    expect(await hindrances(page)).toEqual([])
    await page.getByRole('link', { name: 'Bulks' }).click()
    await page.getByText('Replay 12 messages').waitFor()
  })

  test('rows are selected by keyboard, and discarding says how many it touches', async () => {
    const page = await t.page('/trash?view=messages&text=zip')
    await page.getByText('The zip is none').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.getByText('2 messages selected').waitFor()
    await keepPicture(page, 'trash-selected-1280-light')
    await page.getByRole('button', { name: 'Discard…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('2 messages', { exact: false }).first().waitFor()
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('test orders')
    await dialog.getByRole('button', { name: 'Discard 2' }).click()
    await page.waitForURL(/\/trash\/bulks\/./)
    await eventually('both are discarded', async () => (await trash('discarded')).length === 2)
  })

  test('a message is replayed at another node, which it goes on from as everything does', async () => {
    const failed = () => trash('open').then((rows) => rows.filter(({ error }) => error.title === '502 Bad Gateway'))
    const [row] = await failed()
    const page = await t.page(`/trash?message=${row!.id}`)
    await page.getByRole('button', { name: 'More to do with this message' }).click()
    await page.getByRole('menuitem', { name: 'Replay at another node…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Replay at another node' })
    const node = dialog.getByRole('combobox', { name: 'Node' })
    expect(await node.inputValue()).toBe('store')
    await node.click()
    await page.getByRole('option', { name: 'check' }).click()
    const calls = () => flow!.worker.seen.filter(({ body }) => body.includes('"id":300')).map((seen) => seen.node)
    const before = calls().length
    await dialog.getByRole('button', { name: 'Replay', exact: true }).click()
    await page.getByText('The message is on its way to check').waitFor()
    await page
      .getByRole('region', { name: 'Message' })
      .getByText(/^Replayed/)
      .waitFor()
    await eventually('it has failed at store again', async () => {
      const [again] = await failed()
      return again !== undefined && again.id !== row!.id && again.node === 'store'
    })
    expect(calls().slice(before)).toEqual(['check', 'store', 'store'])
  })

  test('a bulk is paused, resumed and cancelled, and its progress is seen as it goes', async () => {
    await flow!.run(Array.from({ length: 13 }, (_, id) => ({ id: 400 + id, isScarce: true })))
    const held: (() => void)[] = (stock = [])
    const page = await t.page('/trash')
    await page.getByRole('button', { name: 'Replay 13…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Replay 13', exact: true }).click()
    await page.waitForURL(/\/trash\/bulks\/./)
    const progress = page.getByRole('progressbar', { name: 'Settled messages' })
    const shows = (text: string) => page.getByText(text, { exact: true }).first().waitFor()
    const settled = () => progress.getAttribute('aria-valuenow')
    await shows('1 under way')
    await shows('12 waiting')
    expect([await settled(), await progress.getAttribute('aria-valuemax')]).toEqual(['0', '13'])
    await page.getByRole('button', { name: 'Pause' }).click()
    await shows('paused')
    await eventually('the first one is called', () => held.length === 1)
    held.splice(0).forEach((answer) => answer())
    await shows('1 done')
    await shows('12 waiting')
    expect(await settled()).toBe('1')
    await page.getByRole('button', { name: 'Resume' }).click()
    await shows('5 under way')
    await page.getByRole('button', { name: 'Cancel…' }).click()
    const dialog = page.getByRole('dialog', { name: 'Cancel this bulk' })
    expect(await dialog.getByRole('listitem').allInnerTexts()).toEqual([
      '7 messages not sent yet: left in Trash, open and unchanged',
      '5 messages under way: not stopped',
    ])
    await dialog.getByRole('button', { name: 'Cancel the bulk' }).click()
    await shows('cancelled')
    await eventually('all that were sent are called', () => held.length === 5)
    held.splice(0).forEach((answer) => answer())
    await shows('6 done')
    await shows('7 cancelled')
    expect(await settled()).toBe('13')
    expect(await page.getByRole('button', { name: /Pause|Resume|Cancel/ }).count()).toBe(0)
    const first = page.getByRole('grid', { name: 'Messages of the bulk' }).getByRole('link').first()
    expect(await first.getAttribute('href')).toMatch(/^\/trash\?message=[^&]+&state=all&view=messages$/)
    const { pathname } = new URL(page.url())
    await page.getByRole('link', { name: 'Bulks' }).click()
    const row = page.getByRole('link', { name: 'Replay 13 messages' })
    await row.waitFor()
    expect(await row.getAttribute('href')).toBe(pathname)
    expect((await trash('open')).filter(({ error }) => error.title === 'It is out of stock')).toHaveLength(7)
  })

  test('a message that somebody else saved while it was edited is told, not overwritten, and what was typed is kept', async () => {
    await flow!.run([{ id: 301, zip: '12345', shop: 'down' }])
    const [other, edited] = (await trash('open')).filter(({ error }) => error.title === '502 Bad Gateway')
    const params = { path: { id: edited!.id } }
    const stored = async () => {
      const { version, headers, bodyBase64 } = await dataOf(t.engine.GET('/api/trash/{id}/body', { params }))
      return { version, headers, body: atob(bodyBase64) }
    }
    const page = await t.page(`/trash?message=${edited!.id}`)
    await page.getByRole('button', { name: 'Edit', exact: true }).click()
    const body = page.getByRole('textbox', { name: /^Body/ })
    await body.fill('{ "id": 302 }')
    const theirs = { body: { id: 303 }, headers: { 'x-by': 'them' } }
    await dataOf(t.engine.PUT('/api/trash/{id}', { params, body: theirs }))
    // The message behind the editor is read anew when another one is settled, and has their ETag then.
    const reread = page.waitForResponse((response) => response.url().endsWith(`/api/trash/${edited!.id}`))
    await dataOf(t.engine.POST('/api/trash/{id}/discard', { params: { path: { id: other!.id } }, body: {} }))
    await reread
    const save = page.getByRole('button', { name: 'Save', exact: true })
    await save.click()
    await page.getByText('The newest: as it failed version 1, by admin').waitFor()
    await page.getByText('303').first().waitFor()
    expect(await body.inputValue()).toBe('{ "id": 302 }')
    expect(await stored()).toEqual({ version: 1, body: '{"id":303}', headers: { 'x-by': 'them' } })
    await page.getByRole('button', { name: 'Keep mine' }).click()
    await save.click()
    await page.getByText('Saved as version 2').waitFor()
    expect(await stored()).toEqual({ version: 2, body: '{ "id": 302 }', headers: { 'x-by': 'them' } })
  })

  test('what is settled leaves the list by itself, and empty Trash says so', async () => {
    const page = await t.page('/trash?view=messages')
    await page.getByText('502 Bad Gateway').waitFor()
    for (const { id } of await trash('open'))
      await dataOf(t.engine.POST('/api/trash/{id}/discard', { params: { path: { id } }, body: {} }))
    await page.getByText('Nothing is in Trash').waitFor()
    await keepPicture(page, 'trash-empty-1280-light')
    const run = await dataOf(t.engine.GET('/api/runs/{id}', { params: { path: { id: runId } } }))
    expect(run.messages.inProgress).toBe(0)
  })
})
