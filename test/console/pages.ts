import type { Page } from 'playwright-core'
import { dataOf } from '../../runtime/client/answer.ts'
import { eventually } from '../support/eventually.ts'
import type { TestConsole } from './open.ts'
import { openShop } from './shop.ts'

export interface ShownPage {
  readonly name: string
  readonly path: string
  /** When what it is there for is shown; brings it to where there is most to see. */
  ready(page: Page): Promise<unknown>
}

export interface Furnished {
  /** Every kind of page, with something on it. */
  readonly pages: readonly ShownPage[]
  /** Windows that open over them. */
  readonly windows: readonly ShownPage[]
  close(): Promise<void>
}

/** Something of everything: a run that ended with a failure and one that is under way, a bulk, a watermark, services, workers, tokens. */
export async function furnish(t: TestConsole): Promise<Furnished> {
  const { engine } = t
  const shop = await openShop(engine)
  await shop.start()
  const [failure] = await eventually('order 3 has failed', async () => {
    const items = await engine.list('/api/trash')
    return items.length === 1 && items
  })
  const trash = failure?.id ?? ''
  const run = failure?.runId ?? ''
  const filter = { topology: 'orders' }
  const bulk = await dataOf(engine.POST('/api/trash/bulk', { body: { action: 'replay', filter, reason: 'once more' } }))
  const againId = await eventually('order 3 has failed again', async () => {
    const items = await engine.list('/api/trash', { query: { state: 'open' } })
    return items[0] !== undefined && items[0].id !== trash && items[0].id
  })
  shop.holdFrom(3)
  const cursor = await shop.start()
  const watermark = await more(t)
  const pages = [
    ...ofTopologies(),
    ...ofRuns(run),
    ...ofTrash(againId, bulk.id),
    ...ofReadings(cursor, watermark),
    ...ofOperation(),
  ]
  return {
    pages,
    windows: windows(cursor, againId),
    async close() {
      shop.release()
      await t.close()
      await shop.worker.close()
    },
  }
}

/** What no run makes; gives the id of the watermark. */
async function more({ engine }: TestConsole): Promise<string> {
  const value = { tenant: 'acme', watermark: '2026-03-02T10:00:00Z', reason: 'first' }
  const { id } = await dataOf(engine.POST('/api/watermarks', { body: { topology: 'orders', node: 'list', ...value } }))
  const limits = [{ rate: 2, per: 'second' as const, scope: 'tenant' as const, burst: 10 }]
  await dataOf(engine.POST('/api/services', { body: { name: 'stripe', limits, maxInFlight: 4 } }))
  const away = { name: 'billing', urls: ['http://127.0.0.1:9'], dialect: 'native' as const, secret: 'a secret' }
  await dataOf(engine.POST('/api/workers', { body: away }))
  const scopes = ['read' as const, 'operate' as const]
  await dataOf(engine.POST('/api/tokens', { body: { name: 'on call', scopes, topology: 'orders' } }))
  return id
}

const sees =
  (text: string) =>
  (page: Page): Promise<void> =>
    page.getByText(text, { exact: true }).first().waitFor()

/** The tab that begins with it. */
const isOpen =
  (tab: string) =>
  (page: Page): Promise<void> =>
    page.getByRole('tab', { name: new RegExp(`^${tab}`), selected: true }).waitFor()

function ofTopologies(): ShownPage[] {
  const tabs = ['Now', 'Charts', 'Settings', 'Messages', 'Trash'].map((tab) => ({
    name: `node-${tab.toLowerCase()}`,
    path: `/topologies/orders?node=store&tab=${tab.toLowerCase()}`,
    ready: isOpen(tab),
  }))
  return [
    { name: 'topologies', path: '/topologies', ready: (page) => page.getByRole('row', { name: /^orders/ }).waitFor() },
    {
      name: 'topology',
      path: '/topologies/orders',
      ready: (page) => page.getByRole('button', { name: /^store, connector/ }).waitFor(),
    },
    ...tabs,
    {
      name: 'editor',
      path: '/topologies/orders/edit',
      ready: (page) => page.getByRole('button', { name: /^store, connector/ }).click(),
    },
  ]
}

const listed =
  (what: string) =>
  (page: Page): Promise<void> =>
    page.getByRole('grid', { name: what }).getByRole('row').first().waitFor()

function ofRuns(run: string): ShownPage[] {
  return [
    { name: 'runs', path: '/runs', ready: listed('Runs') },
    { name: 'run', path: `/runs/${run}`, ready: sees('1 message of it failed') },
    { name: 'run-messages', path: `/runs/${run}?tab=messages`, ready: isOpen('Messages') },
    { name: 'run-events', path: `/runs/${run}?tab=events`, ready: isOpen('What happened') },
    { name: 'run-start', path: `/runs/${run}?tab=start`, ready: isOpen('Start message') },
  ]
}

function ofTrash(failure: string, bulk: string): ShownPage[] {
  return [
    {
      name: 'trash-kinds',
      path: '/trash',
      ready: (page) => page.getByRole('link', { name: /No such customer/ }).waitFor(),
    },
    { name: 'trash-messages', path: '/trash?view=messages', ready: listed('Messages in Trash') },
    { name: 'trash-nothing', path: '/trash?text=nothing', ready: sees('Nothing open fits this filter') },
    {
      name: 'trash-message',
      path: `/trash?view=messages&message=${failure}`,
      ready: (page) => page.getByText('order 3 has no customer').first().waitFor(),
    },
    { name: 'bulks', path: '/trash/bulks', ready: listed('Bulks') },
    { name: 'bulk', path: `/trash/bulks/${bulk}`, ready: (page) => page.getByText('once more').waitFor() },
  ]
}

function ofReadings(cursor: string, watermark: string): ShownPage[] {
  return [
    {
      name: 'cursors',
      path: '/cursors',
      ready: (page) => page.getByRole('link', { name: 'orders / list' }).first().waitFor(),
    },
    { name: 'cursor', path: `/cursors/${cursor}`, ready: (page) => page.getByText('Go back to page 0').waitFor() },
    { name: 'watermarks', path: '/cursors/watermarks', ready: sees('acme') },
    { name: 'watermark', path: `/cursors/watermarks/${watermark}`, ready: sees('admin: first') },
    {
      name: 'cron',
      path: '/cron?expression=@daily&timezone=Europe/Prague',
      ready: (page) => page.getByText('+0').first().waitFor(),
    },
  ]
}

function ofOperation(): ShownPage[] {
  return [
    { name: 'services', path: '/services', ready: (page) => page.getByText('no 429 in a day').first().waitFor() },
    { name: 'service', path: '/services/shopify', ready: sees('orders / store') },
    { name: 'workers', path: '/workers', ready: sees('billing') },
    { name: 'worker', path: '/workers/shop?node=store', ready: tried },
    { name: 'tokens', path: '/tokens', ready: sees('on call') },
    {
      name: 'audit',
      path: '/audit?topology=orders',
      ready: (page) => page.getByRole('button', { name: 'What differs' }).nth(1).click(),
    },
    { name: 'status', path: '/status', ready: sees('Bridges') },
    { name: 'nowhere', path: '/nowhere', ready: sees('There is no such page') },
  ]
}

async function tried(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Call it once' }).click()
  await page.getByRole('region', { name: 'What came of the call' }).waitFor()
}

/** Pressed, the button opens it. */
const opened =
  (button: string) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: button, exact: true }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).waitFor()
  }

function windows(cursor: string, failure: string): ShownPage[] {
  return [
    { name: 'move-cursor', path: `/cursors/${cursor}`, ready: opened('Go on from elsewhere') },
    { name: 'reset-cursor', path: `/cursors/${cursor}`, ready: opened('Read from the beginning') },
    { name: 'declare-service', path: '/services', ready: opened('Declare a service') },
    { name: 'register-worker', path: '/workers', ready: opened('Register a worker') },
    { name: 'make-token', path: '/tokens', ready: opened('Make a token') },
    { name: 'trash-bulk-dialog', path: '/trash?view=messages', ready: previewed },
    { name: 'trash-edit', path: `/trash?view=messages&message=${failure}`, ready: edited },
  ]
}

async function previewed(page: Page): Promise<void> {
  await opened('Replay all…')(page)
  await page.getByText('Preview on 1').waitFor()
}

async function edited(page: Page): Promise<void> {
  const edit = page.getByRole('button', { name: 'Edit', exact: true })
  const body = page.getByRole('textbox', { name: /^Body/ })
  // What was typed before is still there.
  await edit.or(body).waitFor()
  if ((await edit.count()) > 0) await edit.click()
  await body.fill('{ "id": 3, "customer": null }')
  await page.getByText('As you have it', { exact: false }).waitFor()
}
