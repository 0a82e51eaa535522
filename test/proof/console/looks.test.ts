import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { looksPath, hindrances, isRead, isStill, keepPicture, openConsole, looks } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { furnish } from '../../console/pages.ts'
import type { Furnished } from '../../console/pages.ts'

describe.skipIf(looksPath === undefined)('pages, as people see them', () => {
  let t: TestConsole
  let furnished: Furnished
  beforeAll(async () => {
    t = await openConsole()
    furnished = await furnish(t)
  })
  afterAll(() => furnished.close())

  test.each(looks)('in %s nothing hinders people, %i pixels wide', async (scheme, width) => {
    const found: string[] = []
    for (const { name, path, ready } of furnished.pages) {
      const page = await t.page(path, { scheme, width })
      await ready(page)
      await eventually(`all of ${name} is read`, () => isRead(page))
      await keepPicture(page, `${name}-${width}-${scheme}`)
      found.push(...(await hindrances(page)).map((one) => `${name}: ${one}`))
      const over = await overflow(page)
      if (over > 0) found.push(`${name} is ${over} pixels too wide`)
      await page.context().close()
    }
    expect(found).toEqual([])
  })

  const windows: readonly [name: string, path: () => string, opener: string][] = [
    ['move-cursor', () => `/cursors/${furnished.cursor}`, 'Go on from elsewhere'],
    ['reset-cursor', () => `/cursors/${furnished.cursor}`, 'Read from the beginning'],
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
      await eventually('the window stands still', () => isStill(page))
      await keepPicture(page, `${name}-${width}-${scheme}`)
      expect(await hindrances(page)).toEqual([])
      await page.context().close()
    }
  })
})

/** How far the page is wider than the window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}
