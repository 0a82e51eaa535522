import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { chromiumPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'

describe.skipIf(chromiumPath === undefined)('the shell, in Chromium', () => {
  let t: TestConsole
  beforeAll(async () => {
    t = await openConsole()
  })
  afterAll(() => t.close())

  test('a wrong token is refused in the form; the right one leads where one wanted to be', async () => {
    const page = await t.page('/topologies?search=x', { token: null })
    await page.getByRole('textbox', { name: 'Token' }).fill('not a token')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByRole('alert').getByText('not known').waitFor()
    await page.getByRole('textbox', { name: 'Token' }).fill(t.token)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Topologies' }).waitFor()
    expect(page.url()).toBe(`${t.url}/topologies?search=x`)
  })

  test('the link that sluice dev prints logs in, and leaves no token in the address', async () => {
    const page = await t.page(`/#token=${t.token}`, { token: null })
    await page.getByText('Live', { exact: true }).waitFor()
    expect(page.url()).toBe(`${t.url}/topologies`)
    await page.goBack()
    expect(page.url()).not.toContain('token')
  })

  test('a login that has ended asks for another one, on the same page', async () => {
    const page = await t.page('/topologies')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('button', { name: /^Logged in as/ }).click()
    await page.getByRole('menuitem', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    expect(page.url()).toBe(`${t.url}/topologies`)
  })

  test('what somebody else declares or makes is there without being asked for', async () => {
    const page = await t.page('/services')
    await page.getByText('Live', { exact: true }).waitFor()
    await dataOf(t.engine.POST('/api/services', { body: { name: 'geo', limits: [{ rate: 5, per: 'second' }] } }))
    await page.getByRole('link', { name: 'geo' }).waitFor()
    await page.getByRole('link', { name: 'Tokens' }).click()
    await page.getByRole('heading', { name: 'Tokens' }).waitFor()
    await dataOf(t.engine.POST('/api/tokens', { body: { name: 'made elsewhere', scopes: ['read'] } }))
    await page.getByText('made elsewhere').waitFor()
  })

  test('who chooses UTC, also by keyboard, sees UTC wherever there was a time or an age, and the browser remembers it', async () => {
    const page = await t.page('/audit')
    const times = page.getByRole('main').locator('time')
    await times.first().waitFor()
    expect(await times.first().innerText()).not.toContain('UTC')
    await page.getByRole('button', { name: /^Logged in as/ }).press('Enter')
    await page.getByRole('menuitem', { name: 'UTC' }).press('Enter')
    await times
      .first()
      .getByText(/\d\d:\d\d:\d\d UTC$/)
      .waitFor()
    await page.reload()
    await times
      .first()
      .getByText(/\d\d:\d\d:\d\d UTC$/)
      .waitFor()
    for (const text of await times.allInnerTexts()) expect(text).toMatch(/ UTC$/)
  })

  test.each(['light', 'dark'] as const)('in %s nothing hinders people', async (scheme) => {
    for (const width of [1280, 390]) {
      const login = await t.page('/', { scheme, width, token: null })
      await login.getByRole('button', { name: 'Log in' }).waitFor()
      await keepPicture(login, `login-${width}-${scheme}`)
      expect(await hindrances(login)).toEqual([])
    }
  })
})
