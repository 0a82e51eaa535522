import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Page } from 'playwright-core'
import { seed } from '../../../bench/seed.ts'
import { chromiumPath, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'

/** `SLUICE_PROOF_TRASH=1000000` for the size that is promised; how smooth it is, is told and not checked, since it is the machine's, too. */
const rows = Number(process.env.SLUICE_PROOF_TRASH ?? 20_000)
const scrollMs = rows > 100_000 ? 8_000 : 4_000

/** Frames while the list is scrolled for a while, as the browser drew them, and how far it came. */
const scrolled = `new Promise((resolve) => {
  const list = document.querySelector('[role=grid]')
  const gaps = []
  let last = performance.now()
  const until = last + ${scrollMs}
  const step = (now) => {
    gaps.push(now - last)
    last = now
    list.scrollTop += 180
    if (now < until) requestAnimationFrame(step)
    else resolve({ gaps: gaps.slice(1).sort((a, b) => a - b), row: Math.floor(list.scrollTop / 48), heap: performance.memory.usedJSHeapSize })
  }
  requestAnimationFrame(step)
})`

interface Scrolled {
  readonly gaps: number[]
  readonly row: number
  readonly heap: number
}

const scroll = (page: Page): Promise<Scrolled> => page.evaluate<Scrolled>(scrolled)

describe.skipIf(chromiumPath === undefined)('many open messages in Trash, in Chromium', () => {
  let t: TestConsole
  beforeAll(async () => {
    t = await openConsole()
    await seed(t.postgresUrl, { topologies: 200, runs: 1_000, trash: rows, allOpen: true }, () => undefined)
  }, 600_000)
  afterAll(() => t.close())

  test('the list is scrolled through in memory that does not grow', { timeout: 300_000 }, async () => {
    const page = await t.page('/trash?view=messages')
    await page.getByText('Unprocessable').first().waitFor()
    const first = await scroll(page)
    await page.evaluate("document.querySelector('[role=grid]').scrollTop = 0")
    for (let round = 0; round < 2; round++) await scroll(page)
    const last = await scroll(page)
    await keepPicture(page, 'trash-million')
    const at = (share: number) => last.gaps[Math.floor(last.gaps.length * share)] ?? Infinity
    const measured = {
      row: last.row,
      p50: at(0.5),
      p95: at(0.95),
      longest: last.gaps.at(-1),
      heapMb: last.heap / 1e6,
      firstMb: first.heap / 1e6,
    }
    console.log(JSON.stringify(measured))
    expect(last.row).toBeGreaterThan(300)
    expect(last.heap - first.heap).toBeLessThan(60e6)
  })

  test('kinds of failures are there at once, and lead to those of one kind', { timeout: 60_000 }, async () => {
    const page = await t.page('/trash')
    await page
      .getByRole('link', { name: /Unprocessable/ })
      .first()
      .click()
    await page.getByRole('grid', { name: 'Messages in Trash' }).getByText('Unprocessable').first().waitFor()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page
      .getByRole('region', { name: 'Message' })
      .getByText(/the order \d+ has no address/)
      .first()
      .waitFor()
  })
})
