import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { chromiumPath, hindrances, isStill, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { furnish } from '../../console/pages.ts'
import type { Furnished } from '../../console/pages.ts'

/** Their looks in every width are kept by looks.test.ts, which takes minutes. */
describe.skipIf(chromiumPath === undefined)('every page, in Chromium', () => {
  let t: TestConsole
  let furnished: Furnished
  beforeAll(async () => {
    t = await openConsole()
    furnished = await furnish(t)
  })
  afterAll(() => furnished.close())

  test('nothing hinders people, in light and in dark', async () => {
    const page = await t.page('/')
    await page.getByText('Live', { exact: true }).waitFor()
    const found: string[] = []
    for (const { name, path, ready } of furnished.pages) {
      // From page to page as links lead, without loading all anew.
      await page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})`)
      await ready(page)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor()
        await eventually(`${name} stands still`, () => isStill(page))
        found.push(...(await hindrances(page)).map((one) => `${name} in ${colorScheme}: ${one}`))
      }
    }
    expect(found).toEqual([])
  })
})
