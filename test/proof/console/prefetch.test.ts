import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { chain } from '../../api/open.ts'
import { eventually } from '../../support/eventually.ts'
import { chromiumPath, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'

/** Word for word as it is specified: the header of a selected node, the modal, the banner. */
describe.skipIf(chromiumPath === undefined)('prefetch, in Chromium', () => {
  let t: TestConsole
  beforeAll(async () => {
    t = await openConsole()
    await dataOf(
      t.engine.POST('/api/workers', { body: { name: 'w', urls: ['http://127.0.0.1:1'], dialect: 'native' } }),
    )
  })
  afterAll(() => t.close())

  const publish = async (name: string, isEnabled = true): Promise<void> => {
    const params = { path: { topology: name } }
    await dataOf(t.engine.POST('/api/topologies', { body: chain(name, { a: { type: 'batch' } }) as never }))
    await dataOf(t.engine.POST('/api/topologies/{topology}/publish', { params }))
    if (!isEnabled) await dataOf(t.engine.PATCH('/api/topologies/{topology}', { params, body: { enabled: false } }))
  }
  /** What is stored of the node b, and what bridges go by. */
  const valuesOf = async (topology: string) => {
    const nodes = await t.engine.list('/api/topologies/{topology}/nodes', { path: { topology } })
    const b = nodes.find(({ name }) => name === 'b')
    return [b?.prefetch, b?.published?.prefetch]
  }
  const label = async (page: Page): Promise<string> =>
    (await page.getByTestId('node-label').innerText()).replaceAll(/\s+/g, ' ')
  const banner = (page: Page) => page.getByRole('status', { name: 'Bridge is out of sync' })
  const setTo = async (page: Page, value: string): Promise<void> => {
    await page.getByTestId('node-label').getByRole('button', { name: 'Settings' }).click()
    await page.getByRole('textbox', { name: 'Prefetch of b' }).fill(value)
  }

  test('the header of a selected node has its prefetch, by the type of the node; event nodes have none', async () => {
    await publish('headers')
    const page = await t.page('/topologies/headers')
    for (const [name, expected] of [
      ['b', 'Connector: b | Prefetch: 1 Settings'],
      ['a', 'Batch: a | Prefetch: 1 Settings'],
      ['start', 'Start: start'],
    ] as const) {
      await page.getByRole('button', { name: new RegExp(`^${name},`) }).click()
      await eventually(expected, async () => (await label(page)) === expected)
      await page.getByRole('button', { name: new RegExp(`^${name},`) }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Why it waits' }).waitFor()
      expect(await page.getByRole('menuitem', { name: 'Prefetch settings' }).count()).toBe(name === 'start' ? 0 : 1)
      await page.keyboard.press('Escape')
    }
  })

  const isEnabled = async (topology: string): Promise<boolean> =>
    (await dataOf(t.engine.GET('/api/topologies/{topology}', { params: { path: { topology } } }))).enabled

  test.each([true, false])(
    'Save and continue editing stores it, and the banner stands until Republish now (enabled: %s)',
    async (enabled) => {
      const name = enabled ? 'later' : 'later-disabled'
      await publish(name, enabled)
      const page = await t.page(`/topologies/${name}?node=b`)
      await setTo(page, '7')
      await page.getByRole('button', { name: 'Save and continue editing' }).click()
      await banner(page).getByText('Bridge is out of sync', { exact: true }).waitFor()
      // The banner and the header are of two answers.
      await eventually('it says 7', async () => (await label(page)) === 'Connector: b | Prefetch: 7 Settings')
      expect(await valuesOf(name)).toEqual([7, 1])
      await banner(page).getByRole('button', { name: 'Republish now' }).click()
      await banner(page).waitFor({ state: 'detached' })
      expect(await valuesOf(name)).toEqual([7, 7])
      expect(await isEnabled(name)).toBe(enabled)
    },
  )

  test.each([true, false])('Save & Republish brings it to the bridges at once (enabled: %s)', async (enabled) => {
    const name = enabled ? 'enabled' : 'disabled'
    await publish(name, enabled)
    const page = await t.page(`/topologies/${name}?node=b`)
    await page.getByRole('button', { name: /^b,/ }).click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Prefetch settings' }).click()
    await page.getByRole('textbox', { name: 'Prefetch of b' }).fill('20')
    await page.getByRole('button', { name: 'Save & Republish' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await valuesOf(name)).toEqual([20, 20])
    // It may have stood for the moment between the two.
    await banner(page).waitFor({ state: 'detached' })
    expect(await isEnabled(name)).toBe(enabled)
  })

  test('what is no prefetch is said at the field, and Cancel changes nothing', async () => {
    await publish('wrong')
    const page = await t.page('/topologies/wrong?node=b')
    for (const value of ['0', '21', '1.5', '2,9', '']) {
      await setTo(page, value)
      await page.getByText('expected an integer from 1 to 20').waitFor()
      for (const name of ['Save & Republish', 'Save and continue editing'])
        expect(await page.getByRole('button', { name }).getAttribute('aria-disabled')).toBe('true')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    expect(await valuesOf('wrong')).toEqual([1, 1])
    expect(await label(page)).toBe('Connector: b | Prefetch: 1 Settings')
  })

  test('of a draft there is nothing to republish: it says so, and stores it', async () => {
    await dataOf(t.engine.POST('/api/topologies', { body: chain('drafted') as never }))
    const page = await t.page('/topologies/drafted?node=b')
    await setTo(page, '3')
    const republish = page.getByRole('button', { name: 'Save & Republish' })
    await republish.hover()
    await page.getByRole('tooltip').getByText('It is a draft').waitFor()
    expect(await republish.getAttribute('aria-disabled')).toBe('true')
    await page.getByRole('button', { name: 'Save and continue editing' }).click()
    await banner(page).waitFor()
    expect(await valuesOf('drafted')).toEqual([3, undefined])
  })

  test('what somebody else saved meanwhile is said, what is typed stays, and saving again replaces it', async () => {
    await publish('raced')
    const page = await t.page('/topologies/raced?node=b')
    await setTo(page, '7')
    const nodes = await t.engine.list('/api/topologies/{topology}/nodes', { path: { topology: 'raced' } })
    const id = nodes.find(({ name }) => name === 'b')?.id ?? ''
    await dataOf(t.engine.PATCH('/api/nodes/{id}', { params: { path: { id } }, body: { prefetch: 4 } }))
    const save = page.getByRole('button', { name: 'Save and continue editing' })
    // What is refused for another reason says nothing of it, and takes nothing of it as seen.
    const path = `**/api/nodes/${id}`
    await page.route(path, (route) => (route.request().method() === 'PATCH' ? route.abort() : route.continue()))
    await save.click()
    await page.getByText('The engine can’t be reached').waitFor()
    await page.unroute(path)
    await save.click()
    await page.getByText('its prefetch is 4 now').waitFor()
    expect(await page.getByRole('textbox', { name: 'Prefetch of b' }).inputValue()).toBe('7')
    await save.click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await valuesOf('raced')).toEqual([7, 1])
  })

  test('a republish that fails says what is stored and what isn’t, and can be done again', async () => {
    await publish('halfway')
    const page = await t.page('/topologies/halfway?node=b')
    await page.route('**/republish', (route) => route.abort(), { times: 1 })
    await setTo(page, '6')
    await page.getByRole('button', { name: 'Save & Republish' }).click()
    await page.getByText('Prefetch 6 is stored, but not republished').waitFor()
    expect(await valuesOf('halfway')).toEqual([6, 1])
    await page.getByRole('button', { name: 'Republish again' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await valuesOf('halfway')).toEqual([6, 6])
  })
})
