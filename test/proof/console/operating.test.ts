import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { eventually } from '../../support/eventually.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import { chromiumPath, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openShop } from '../../console/shop.ts'
import type { Shop } from '../../console/shop.ts'

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })
const dialog = (page: Page) => page.getByRole('dialog')

describe.skipIf(chromiumPath === undefined)('pages of operation, in Chromium', () => {
  let t: TestConsole
  let shop: Shop
  beforeAll(async () => {
    t = await openConsole()
    shop = await openShop(t.engine)
  })
  afterAll(async () => {
    shop.release()
    await t.close()
    await shop.worker.close()
  })

  test('a reading goes back to a page of its history, and shows live what became of that', async () => {
    shop.holdFrom(3)
    const id = await shop.start()
    const page = await t.page('/cursors')
    await page.getByRole('link', { name: 'orders / list' }).click()
    await page.getByText('3/5').first().waitFor()
    await button(page, 'Go back to page 1').click()
    await dialog(page).getByText('comes as new messages').waitFor()
    await dialog(page).getByLabel('Why').fill('the source was restored')
    await button(page, 'Go back to page 1').last().click()
    await page.getByText('the next call of the node asks with it').waitFor()
    await page.getByText('admin: the source was restored').waitFor()
    shop.release()
    await page.getByText('a page was read with that').waitFor()
    await page.getByText('Ended', { exact: true }).waitFor()
    const { page: newest } = await dataOf(t.engine.GET('/api/cursors/{id}', { params: { path: { id } } }))
    expect(newest).toBeGreaterThan(4)
    const over = button(page, 'Read from the beginning')
    expect(await over.getAttribute('aria-disabled')).toBe('true')
  })

  test('a reading is sent to its beginning after it was said how much is read again', async () => {
    shop.holdFrom(2)
    const id = await shop.start()
    const page = await t.page(`/cursors/${id}`)
    await page.getByText('2/5').first().waitFor()
    await button(page, 'Read from the beginning').click()
    await dialog(page).getByText('2 pages that were read').waitFor()
    await dialog(page).getByRole('button', { name: 'Read from the beginning' }).click()
    await page.getByText('without a cursor').waitFor()
    shop.release()
    await page.getByText('Ended', { exact: true }).waitFor()
  })

  test('a watermark that the node can’t look back from is refused at its field; one that it can is set, moved and forgotten', async () => {
    const page = await t.page('/cursors/watermarks')
    await button(page, 'Set a watermark').click()
    await dialog(page).getByLabel('Topology').fill('orders')
    await dialog(page).getByLabel('Node').fill('list')
    await dialog(page).getByLabel('Tenant').fill('acme')
    const field = dialog(page).getByLabel('Watermark')
    await field.fill('yesterday')
    await button(page, 'Set it').click()
    await dialog(page).getByText('RFC 3339').first().waitFor()
    expect(await field.getAttribute('aria-invalid')).toBe('true')
    await field.fill('2026-03-02T10:00:00Z')
    await button(page, 'Set it').click()
    await page.getByRole('heading', { name: 'list' }).waitFor()
    await button(page, /^Move$/).click()
    await dialog(page).getByText('is never read').waitFor()
    await dialog(page).getByLabel('Watermark').fill('2026-03-03T10:00:00Z')
    await button(page, 'Move it').click()
    await page.getByRole('row', { name: /Set 2026-03-03T10:00:00Z admin/ }).waitFor()
    await button(page, 'Forget').click()
    await dialog(page).getByText('1 watermark').waitFor()
    await button(page, 'Forget it').click()
    await page.getByRole('row', { name: /Forgotten none admin/ }).waitFor()
  })

  test('limits that contradict each other are refused where they stand; a service in use says who keeps it', async () => {
    const page = await t.page('/services')
    await button(page, 'Declare a service').click()
    await dialog(page).getByLabel('Name').fill('stripe')
    await dialog(page).getByLabel('Limit 1: calls').fill('40')
    await button(page, 'Add a limit').click()
    await dialog(page).getByLabel('Limit 2: calls').fill('10')
    await dialog(page).getByLabel('Limit 2: period').click()
    await page.getByRole('option', { name: 'a day' }).click()
    await button(page, /^Declare$/).click()
    await dialog(page).getByText('can never be reached with 10 per day').first().waitFor()
    await dialog(page).getByLabel('Limit 2: calls').fill('10000')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'stripe' }).waitFor()
    await page.getByText('10,000 a day').waitFor()
    await button(page, 'Remove').click()
    await dialog(page).getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('heading', { name: 'Services', exact: true }).waitFor()
    await page.getByRole('link', { name: 'shopify' }).click()
    await page.getByRole('link', { name: 'orders / store' }).waitFor()
    const remove = button(page, 'Remove')
    expect(await remove.getAttribute('aria-disabled')).toBe('true')
    await remove.hover()
    await page.getByText('1 node uses it: take it from them first').waitFor()
  })

  test('limits that somebody else changed while they were edited are told, not overwritten, and what was typed is kept', async () => {
    const params = { path: { name: 'raced' } }
    const limitsOf = async () => (await dataOf(t.engine.GET('/api/services/{name}', { params }))).limits
    const change = (rate: number) =>
      dataOf(t.engine.PUT('/api/services/{name}', { params, body: { limits: [{ rate, per: 'second' }] } }))
    await dataOf(t.engine.POST('/api/services', { body: { name: 'raced', limits: [{ rate: 10, per: 'second' }] } }))
    const page = await t.page('/services/raced')
    await button(page, 'Change limits').click()
    await dialog(page).getByLabel('Limit 1: calls').fill('30')
    await change(20)
    // The page behind the form is read anew, and has their ETag then.
    await page.getByText('20 a second').waitFor()
    await button(page, /^Save$/).click()
    await dialog(page).getByText('Somebody else changed it meanwhile').waitFor()
    await dialog(page).getByText('Limits: 10 a second 20 a second').waitFor()
    expect(await limitsOf()).toMatchObject([{ rate: 20 }])
    expect(await dialog(page).getByLabel('Limit 1: calls').inputValue()).toBe('30')
    await button(page, 'Take what is stored').click()
    expect(await dialog(page).getByLabel('Limit 1: calls').inputValue()).toBe('20')
    await dialog(page).getByLabel('Limit 1: calls').fill('40')
    await change(25)
    await button(page, /^Save$/).click()
    await button(page, 'Keep mine').click()
    await dialog(page).getByText('it replaces what somebody else stored').waitFor()
    await button(page, /^Save$/).click()
    await page.getByText('The limits of raced hold from now on').waitFor()
    expect(await limitsOf()).toMatchObject([{ rate: 40 }])
    await button(page, 'Remove').click()
    await dialog(page).getByText('Its limits and what is known').waitFor()
    await change(50)
    await dialog(page).getByRole('button', { name: 'Remove' }).click()
    await dialog(page).getByText('Limits: 40 a second 50 a second').waitFor()
    await button(page, 'Look at it as it is now').click()
    await dialog(page).getByRole('button', { name: 'Remove' }).click()
    await page.getByText('The service raced is removed').waitFor()
  })

  test('a service that asked to wait for a day is called again from its page', async () => {
    let isBusy = true
    const worker = await fakeWorker(() =>
      isBusy ? { status: 429, headers: { 'retry-after': '86400' } } : { status: 204 },
    )
    onTestFinished(() => worker.close())
    const { engine } = t
    await dataOf(engine.POST('/api/workers', { body: { name: 'moody', urls: [worker.url], dialect: 'native' } }))
    await dataOf(engine.POST('/api/services', { body: { name: 'moody', limits: [{ rate: 100, per: 'second' }] } }))
    const nodes = [
      { name: 'begin', type: 'start' as const },
      { name: 'ask', type: 'connector' as const, worker: 'moody', service: 'moody' },
    ]
    const edges = [{ from: 'begin', to: 'ask' }]
    await dataOf(engine.POST('/api/topologies', { body: { name: 'moody', nodes, edges } }))
    const params = { path: { topology: 'moody' } }
    await dataOf(engine.POST('/api/topologies/{topology}/publish', { params }))
    const { runId } = await dataOf(engine.POST('/api/topologies/{topology}/run', { params, body: { node: 'begin' } }))
    const page = await t.page('/services/moody')
    await page.getByText('no calls until').waitFor()
    isBusy = false
    await button(page, 'Call it again').click()
    await dialog(page).getByText('If it still means it').waitFor()
    await dialog(page).getByRole('button', { name: 'Call it again' }).click()
    await page.getByText('1 wait of moody ended; with another 429 calls wait again').waitFor()
    await page.getByText('no calls until').waitFor({ state: 'detached' })
    await eventually('the run is finished', async () => {
      const run = await engine.GET('/api/runs/{id}', { params: { path: { id: runId } } })
      return run.data?.state === 'finished'
    })
    await page.getByText('nothing waits').waitFor()
    await page.getByRole('progressbar', { name: /^\d+ % of what is declared is used$/ }).waitFor({ state: 'attached' })
  })

  test('a worker is registered, called with a typed body and with a captured message, and its answer is there in full', async () => {
    const page = await t.page('/workers')
    await button(page, 'Register a worker').click()
    await dialog(page).getByLabel('Name').fill('shop-2')
    await dialog(page).getByLabel('Addresses').fill(`${shop.worker.url}\nshop:3000`)
    await button(page, /^Register$/).click()
    await dialog(page).getByText('line 2: expected an http or https URL').waitFor()
    await dialog(page).getByLabel('Addresses').fill(shop.worker.url)
    await button(page, /^Register$/).click()
    await page.getByRole('heading', { name: 'shop-2' }).waitFor()
    await page.getByText('Some defaults of its manifest can’t be used').waitFor()
    const asked = new Promise<() => void>((resolve) => {
      void page.route('**/api/topologies?*', (route) => resolve(() => void route.continue()), { times: 1 })
    })
    await button(page, 'Remove').click()
    await dialog(page).getByText('Which nodes name it is being read').waitFor()
    expect(await dialog(page).getByRole('button', { name: 'Remove' }).isDisabled()).toBe(true)
    const goOn = await asked
    goOn()
    await dialog(page).getByText('No node names it').waitFor()
    await dialog(page).getByRole('button', { name: 'Remove' }).click()
    await page.getByRole('link', { name: 'shop', exact: true }).click()

    await page.getByLabel('Node', { exact: true }).first().click()
    await page.getByRole('option', { name: 'store' }).click()
    await page.getByLabel('Body').fill('{"id": ')
    await page.getByText('This is no JSON').waitFor()
    await page.getByLabel('Body').fill('{"id":3}')
    await button(page, 'Call it once').click()
    const answer = page.getByRole('region', { name: 'What came of the call' })
    await answer.getByText('with status 422').waitFor()
    await answer.getByLabel('Reply', { exact: true }).getByText('order 3 has no customer').waitFor()
    expect(page.url()).toContain('node=store')

    await page.getByText('From Trash').click()
    await page.getByRole('radio', { name: /20/ }).first().click()
    await button(page, 'Call it once').click()
    await answer.getByLabel('Request', { exact: true }).getByText('"name": "order 3"').waitFor()
  })

  test('a token is shown once, can’t be made without a name, and is gone when it is deleted', async () => {
    const page = await t.page('/tokens')
    await button(page, 'Make a token').click()
    await button(page, 'Make it').click()
    await eventually('the fault stands at the name', async () => {
      return (await dialog(page).getByLabel('Name').getAttribute('aria-invalid')) === 'true'
    })
    await dialog(page).getByLabel('Name').fill('ci')
    await dialog(page).getByLabel('run', { exact: true }).check()
    await dialog(page).getByLabel('Only of the topology').click()
    await page.getByRole('option', { name: 'orders' }).click()
    await button(page, 'Make it').click()
    await dialog(page).getByText('It is shown this once only').waitFor()
    const token = await dialog(page).getByLabel('Token', { exact: true }).inputValue()
    const who = await fetch(`${t.url}/api/session`, { headers: { authorization: `Bearer ${token}` } })
    expect(await who.json()).toMatchObject({ name: 'ci', scopes: ['read', 'run'], topology: 'orders' })
    await page.keyboard.press('Escape')
    await button(page, 'I have kept it').click()
    expect(await page.content()).not.toContain(token)
    await page.getByRole('row', { name: /ci read, run orders/ }).waitFor()
    await button(page, 'Delete ci').click()
    await dialog(page).getByRole('button', { name: 'Delete' }).click()
    await page.getByRole('row', { name: /^ci/ }).waitFor({ state: 'detached' })
    const after = await fetch(`${t.url}/api/session`, { headers: { authorization: `Bearer ${token}` } })
    expect(after.status).toBe(401)
  })

  test('the audit log shows who changed what, value by value, and its filters stand in the address', async () => {
    const params = { path: { name: 'shopify' } }
    const body = { limits: [{ rate: 900, per: 'second' as const }] }
    await dataOf(t.engine.PUT('/api/services/{name}', { params, body }))
    const page = await t.page('/audit?action=replaceService')
    await button(page, 'What differs').first().click()
    await page.getByText(/"rate":1000/).waitFor()
    await page.getByText(/"rate":900/).waitFor()
    await page.getByLabel('Who').fill('nobody')
    await page.getByText('No change is like that').waitFor()
    expect(new URL(page.url()).search).toBe('?action=replaceService&who=nobody')
    await button(page, 'Show all').click()
    await page.getByRole('row', { name: /admin publish topology topology orders/ }).waitFor()
  })

  test('the status says in plain words what is wrong, and where to go', async () => {
    const page = await t.page('/status')
    await page.getByText(/of orders lies? open in Trash/).waitFor()
    await page.getByText('Mend, replay or discard them').waitFor()
    await page.getByText('answers, 2').waitFor()
    expect(await page.getByRole('link', { name: 'Trash', exact: true }).last().getAttribute('href')).toBe(
      '/trash?topology=orders',
    )
  })

  test('a schedule is shown with its next firing, and another one is tried before it is used', async () => {
    const page = await t.page('/cron')
    await page.getByRole('row', { name: /orders \/ every-night 30 2 \* \* \* Europe\/Prague in/ }).waitFor()
    await page.getByLabel('Schedule', { exact: true }).fill('30 25 * * *')
    await page.getByText(/hour/).first().waitFor()
    await page.getByLabel('Schedule', { exact: true }).fill('@daily')
    await page.getByLabel('Time zone').fill('Asia/Tokyo')
    await page.getByText('T00:00:00+09:00').first().waitFor()
  })

  test('who may only look is told why not, and sees no tokens', async () => {
    const body = { name: 'looker', scopes: ['read' as const] }
    const { token } = await dataOf(t.engine.POST('/api/tokens', { body }))
    const page = await t.page('/workers', { token })
    const add = button(page, 'Register a worker')
    await add.hover()
    await page.getByText('lacks the scope “design”').waitFor()
    await page.goto(`${t.url}/tokens`)
    await page.getByText('Only administrators see tokens').waitFor()
  })
})
