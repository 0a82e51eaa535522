import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { eventually } from '../../support/eventually.ts'
import { looksPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { openShop } from '../../console/shop.ts'
import type { Shop } from '../../console/shop.ts'

describe.skipIf(looksPath === undefined)('pages of operation, as people see them', () => {
  let t: TestConsole
  let shop: Shop
  let cursor: string
  let watermark: string
  beforeAll(async () => {
    t = await openConsole()
    shop = await openShop(t.engine)
    shop.holdFrom(3)
    cursor = await shop.start()
    const body = {
      topology: 'orders',
      node: 'list',
      tenant: 'acme',
      watermark: '2026-03-02T10:00:00Z',
      reason: 'first',
    }
    watermark = (await dataOf(t.engine.POST('/api/watermarks', { body }))).id
    const limits = [{ rate: 2, per: 'second' as const, scope: 'tenant' as const, burst: 10 }]
    await dataOf(t.engine.POST('/api/services', { body: { name: 'stripe', limits, maxInFlight: 4 } }))
    const away = { name: 'billing', urls: ['http://127.0.0.1:9'], dialect: 'native' as const, secret: 'a secret' }
    await dataOf(t.engine.POST('/api/workers', { body: away }))
    const scopes = ['read' as const, 'operate' as const]
    await dataOf(t.engine.POST('/api/tokens', { body: { name: 'on call', scopes, topology: 'orders' } }))
  })
  afterAll(async () => {
    shop.release()
    await t.close()
    await shop.worker.close()
  })

  const pages: readonly [name: string, path: () => string, ready: (page: Page) => Promise<void>][] = [
    ['cursors', () => '/cursors', (page) => page.getByText('Reading', { exact: true }).waitFor()],
    ['cursor', () => `/cursors/${cursor}`, (page) => page.getByText('Go back to page 0').waitFor()],
    ['watermarks', () => '/cursors/watermarks', (page) => page.getByText('acme').waitFor()],
    ['watermark', () => `/cursors/watermarks/${watermark}`, (page) => page.getByText('admin: first').waitFor()],
    ['cron', () => '/cron?expression=@daily&timezone=Europe/Prague', (page) => page.getByText('+0').first().waitFor()],
    ['services', () => '/services', (page) => page.getByText('no 429 in a day').first().waitFor()],
    ['service', () => '/services/shopify', (page) => page.getByText('orders / store').waitFor()],
    ['workers', () => '/workers', (page) => page.getByText('billing').waitFor()],
    ['worker', () => '/workers/shop?node=store', (page) => page.getByText('Call it once').waitFor()],
    ['tokens', () => '/tokens', (page) => page.getByText('on call').waitFor()],
    ['audit', () => '/audit?topology=orders', (page) => page.getByText('publish topology').first().waitFor()],
    ['status', () => '/status', (page) => page.getByText('Bridges').first().waitFor()],
  ]

  test.each(pages)('%s: nothing hinders people, in light and dark, wide and narrow', async (name, path, ready) => {
    for (const scheme of ['light', 'dark'] as const) {
      for (const width of [1280, 390]) {
        const page = await t.page(path(), { scheme, width })
        await ready(page)
        if (name === 'worker') await tried(page)
        if (name === 'audit') await page.getByRole('button', { name: 'What differs' }).nth(1).click()
        expect(await overflow(page)).toBe(0)
        await keepPicture(page, `${name}-${width}-${scheme}`)
        expect(await hindrances(page)).toEqual([])
        await page.context().close()
      }
    }
  })

  const windows: readonly [name: string, path: () => string, opener: string][] = [
    ['move-cursor', () => `/cursors/${cursor}`, 'Go on from elsewhere'],
    ['reset-cursor', () => `/cursors/${cursor}`, 'Read from the beginning'],
    ['declare-service', () => '/services', 'Declare a service'],
    ['register-worker', () => '/workers', 'Register a worker'],
    ['make-token', () => '/tokens', 'Make a token'],
  ]

  test.each(windows)('%s: nothing hinders people in the window', async (name, path, opener) => {
    for (const [scheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      const page = await t.page(path(), { scheme, width })
      await page.getByRole('button', { name: opener }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).waitFor()
      await eventually('the window stands still', () => page.evaluate('document.getAnimations().length === 0'))
      await keepPicture(page, `${name}-${width}-${scheme}`)
      expect(await hindrances(page)).toEqual([])
      await page.context().close()
    }
  })
})

async function tried(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Call it once' }).click()
  await page.getByRole('region', { name: 'What came of the call' }).waitFor()
}

/** How far the page is wider than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
