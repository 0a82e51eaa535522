import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import {
  chromiumPath,
  hindrances,
  isStill,
  keepPicture,
  keepsPictures,
  looks,
  openConsole,
  windowOf,
} from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { cutOff } from '../../console/cut-off.ts'
import { furnish } from '../../console/pages.ts'
import type { Furnished, ShownPage } from '../../console/pages.ts'

describe.skipIf(chromiumPath === undefined)('every page, in Chromium', () => {
  let t: TestConsole
  let furnished: Furnished
  let page: Page
  beforeAll(async () => {
    t = await openConsole()
    furnished = await furnish(t)
    page = await t.page('/')
    await page.getByText('Live', { exact: true }).waitFor()
  })
  afterAll(() => furnished.close())

  test('nothing hinders people, and nothing is cut off, at a desk and on a phone', async () => {
    expect(await faultsOf(page, furnished.pages)).toEqual([])
  })

  test('neither in the windows that open over pages', async () => {
    expect(await faultsOf(page, furnished.windows)).toEqual([])
  })
})

const always: readonly (typeof looks)[number][] = [
  ['light', 1280],
  ['dark', 390],
]

/** What is wrong with them, one line each. With SLUICE_PROOF_LOOKS it is looked for in all looks, and a picture of each is kept. */
async function faultsOf(page: Page, shown: readonly ShownPage[]): Promise<string[]> {
  const faults: string[] = []
  for (const [scheme, width] of keepsPictures ? looks : always) {
    await page.setViewportSize(windowOf(width))
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
    await page.locator(`html[data-mantine-color-scheme=${scheme}]`).waitFor()
    for (const one of shown) {
      const found = await faultsIn(page, one, `${one.name}-${width}-${scheme}`)
      faults.push(...found.map((fault) => `${one.name}, ${scheme}, ${width} wide: ${fault}`))
    }
  }
  return faults
}

async function faultsIn(page: Page, { name, path, ready }: ShownPage, picture: string): Promise<string[]> {
  // As links lead, without loading all anew.
  await page.evaluate(`history.pushState(null, '', ${JSON.stringify(path)})`)
  await ready(page)
  await eventually(`${name} stands still`, () => isStill(page))
  if (keepsPictures) await keepPicture(page, picture)
  const faults = [...(await hindrances(page)), ...(await cutOff(page))]
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  return faults
}
