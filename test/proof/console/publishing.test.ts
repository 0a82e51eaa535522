import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { insertToken, newTokenText } from '../../../runtime/store/queries/tokens.ts'
import { parseDocument } from '../../../runtime/topology/document.ts'
import { yamlOf } from '../../../runtime/topology/yaml.ts'
import { chain } from '../../api/open.ts'
import { card, form, palette } from '../../console/drawing.ts'
import { chromiumPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { eventually } from '../../support/eventually.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import type { FakeWorker } from '../../support/fake-worker.ts'

const bpmn = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:pipes="http://www.omg.org/spec/Pipes/20100524/MODEL">
  <bpmn:process id="drawn">
    <bpmn:startEvent id="start" name="start" pipes:pipesType="start" />
    <bpmn:task id="pause" name="pause" pipes:pipesType="user" />
    <bpmn:sequenceFlow id="flow" sourceRef="start" targetRef="pause" />
  </bpmn:process>
</bpmn:definitions>`

const dialog = (page: Page) => page.getByRole('dialog')
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function openMenu(page: Page, item: string): Promise<void> {
  await button(page, 'More').click()
  await page.getByRole('menuitem', { name: item }).click()
  await page.getByRole('menu').waitFor({ state: 'detached' })
}

/** The worker holds what comes to b until it is told not to. */
describe.skipIf(chromiumPath === undefined)('documents and publishing, in Chromium', () => {
  let t: TestConsole
  let worker: FakeWorker
  /** One for all tests that don't need another one: each costs two seconds. */
  let page: Page
  let isHeld = true
  const held: (() => void)[] = []
  const release = (): void => {
    isHeld = false
    for (const go of held.splice(0)) go()
  }

  beforeAll(async () => {
    t = await openConsole()
    worker = await fakeWorker(async ({ node, body }) => {
      if (body.includes('captured')) return { status: 422, body: 'no such order' }
      if (node === 'b' && isHeld) await new Promise<void>((resolve) => held.push(resolve))
      return node === 'a' ? { body, headers: { 'content-type': 'application/json' } } : { status: 204 }
    })
    await dataOf(t.engine.POST('/api/workers', { body: { name: 'w', urls: [worker.url], dialect: 'native' } }))
    for (const name of ['orders', 'drawn']) {
      await dataOf(t.engine.POST('/api/topologies', { body: chain(name) as never }))
      await dataOf(t.engine.POST('/api/topologies/{topology}/publish', { params: { path: { topology: name } } }))
    }
    page = await t.page('/topologies')
  })
  afterAll(async () => {
    release()
    await t.close()
    await worker.close()
  })

  /** Within the page, as people do. */
  async function visit(topology: string): Promise<void> {
    await page.keyboard.press('Escape')
    await dialog(page).waitFor({ state: 'detached' })
    await page.getByRole('link', { name: 'Topologies' }).click()
    await page.getByRole('link', { name: topology, exact: true }).click()
    await page.getByRole('heading', { name: topology }).waitFor()
  }

  const draftOf = async (topology: string) =>
    (await dataOf(t.engine.GET('/api/topologies/{topology}', { params: { path: { topology } } }))).document

  test('a document with a fault says where it is; mended it says what it changes, and replaces the draft', async () => {
    await visit('orders')
    await openMenu(page, 'Import…')
    const field = dialog(page).getByLabel('Document')
    const mended = yamlOf(chain('orders', { a: { prefetch: 7 } }))
    await field.fill(mended.replace('prefetch: 7', 'prefetch: 77'))
    await dialog(page).getByText('It can’t be taken: 1 fault').waitFor()
    expect(await button(page, 'Replace the draft').isDisabled()).toBe(true)
    await dialog(page).getByRole('button', { name: 'line 8' }).click()
    expect(await page.evaluate('getSelection().toString()')).toBe('    prefetch: 77')
    await field.fill(mended.replace('worker: w', 'worker: nobody'))
    await dialog(page).getByText('It can be taken, but not be published yet').waitFor()
    await dialog(page).getByText('there is no worker "nobody"').waitFor()
    await field.fill('name: [')
    await dialog(page).getByText('It can’t be read').waitFor()
    await field.fill(mended)
    await dialog(page).getByRole('listitem').filter({ hasText: 'node a changed' }).getByText('prefetch').waitFor()
    await button(page, 'Replace the draft').click()
    await page.getByText('The draft of orders is replaced').waitFor()
    expect(await draftOf('orders')).toEqual(chain('orders', { a: { prefetch: 7 } }))
  })

  test('what somebody else saved meanwhile is not overwritten', async () => {
    await visit('orders')
    await openMenu(page, 'Import…')
    await dialog(page)
      .getByLabel('Document')
      .fill(yamlOf(chain('orders', { a: { prefetch: 3 } })))
    await dialog(page).getByRole('listitem').filter({ hasText: 'node a changed' }).waitFor()
    const params = { path: { topology: 'orders' } }
    const theirs = chain('orders', { a: { prefetch: 7 }, b: { timeoutMs: 5_000 } })
    await dataOf(t.engine.PUT('/api/topologies/{topology}', { params, body: theirs as never }))
    await button(page, 'Replace the draft').click()
    await dialog(page).getByText('Somebody else was faster').waitFor()
    expect(await draftOf('orders')).toEqual(theirs)
  })

  test('huge and hostile files are refused in a line', async () => {
    await visit('orders')
    await openMenu(page, 'Import…')
    const buffer = Buffer.alloc(3 * 1024 * 1024, 'x')
    await page.locator('input[type=file]').setInputFiles({ name: 'huge.yaml', mimeType: 'text/yaml', buffer })
    await dialog(page).getByText('huge.yaml: It has 3 MiB; a document has at most 1 MiB.').waitFor()
    const field = dialog(page).getByLabel('Document')
    const bomb = ['a: &a [x, x]', ...[...'bcdefgh'].map((to, n) => `${to}: &${to} [${`*${'abcdefg'[n]}, `.repeat(9)}]`)]
    for (const [text, says] of [
      ['['.repeat(5_000), 'is nested deeper than 32 levels'],
      [bomb.join('\n'), 'Excessive alias count'],
      ['name: a\n---\nname: b\n', 'It holds 2 documents'],
      ['[1, 2]', 'It is a list of 2'],
      ['{"name":"orders","nodes":[{"name":"a","type":"start","__proto__":{"x":1}}],"edges":[]}', 'the key "__proto__"'],
      ['<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 'document type'],
      ['{"items": []}', 'no topology document'],
    ] as const) {
      await field.fill(text)
      await dialog(page).getByText(says).first().waitFor()
      expect(await button(page, 'Replace the draft').isDisabled()).toBe(true)
    }
  })

  test('a document of the BPMN editor tells what has no counterpart and what it changes before it is taken', async () => {
    await visit('drawn')
    await openMenu(page, 'Import…')
    const buffer = Buffer.from(bpmn)
    await page.locator('input[type=file]').setInputFiles({ name: 'drawn.bpmn', mimeType: 'text/xml', buffer })
    await dialog(page).getByText('What has no counterpart here').waitFor()
    await dialog(page).getByRole('listitem').filter({ hasText: 'node pause added' }).waitFor()
    await dialog(page).getByText('but not be published yet').waitFor()
    await keepPicture(page, 'import-1280-light')
    expect(await hindrances(page)).toEqual([])
    expect(await draftOf('drawn')).toEqual(chain('drawn'))
    await button(page, 'Replace the draft').click()
    await page.getByText('The draft of drawn is replaced').waitFor()
    expect((await draftOf('drawn')).nodes.map(({ name }) => name)).toEqual(['start', 'pause'])
  })

  test('a draft with faults can’t be published, and says what is wrong', async () => {
    await visit('drawn')
    await openMenu(page, 'Publish the draft…')
    await dialog(page).getByText('It can’t be published: 1 fault').waitFor()
    await dialog(page).getByText('pause.worker').waitFor()
    expect(await button(page, 'Publish').isDisabled()).toBe(true)
    expect(await hindrances(page)).toEqual([])
  })

  test('when a node goes at which messages lie, it is said what becomes of them; drained, it works them off and goes', async () => {
    const params = { path: { topology: 'orders' } }
    for (let i = 0; i < 3; i++)
      await dataOf(t.engine.POST('/api/topologies/{topology}/run', { params, body: { body: i } }))
    const half = { ...chain('orders'), nodes: chain('orders').nodes.slice(0, 2), edges: [{ from: 'start', to: 'a' }] }
    await dataOf(t.engine.PUT('/api/topologies/{topology}', { params, body: half as never }))
    await eventually('they lie at b', async () => {
      const { leaving } = await dataOf(
        t.engine.POST('/api/topologies/{topology}/check', { params, body: half as never }),
      )
      expect(leaving).toEqual([{ node: 'b', waiting: 2, inFlight: 1 }])
    })
    await visit('orders')
    await openMenu(page, 'Publish the draft…')
    await dialog(page).getByRole('row', { name: 'b 2 1' }).waitFor()
    await dialog(page).getByRole('listitem').filter({ hasText: 'node b removed' }).waitFor()
    const ways = ['Don’t publish while there are any', 'Handle them as before', 'Put them into Trash']
    for (const way of ways) await dialog(page).getByRole('radio', { name: way }).waitFor()
    await dialog(page).getByText('3 messages now').waitFor()
    await keepPicture(page, 'publish-1280-light')
    expect(await hindrances(page)).toEqual([])
    await button(page, 'Publish').click()
    await dialog(page).getByText('Not possible in this state').waitFor()
    await dialog(page).getByRole('radio', { name: 'Handle them as before' }).check()
    await button(page, 'Publish').click()
    await dialog(page).getByText('Published as revision 2. 1 bridge goes by it.').waitFor()
    await keepPicture(page, 'published-1280-light')
    expect(await hindrances(page)).toEqual([])
    release()
    await eventually(
      'b has gone',
      async () => {
        const { items } = await dataOf(t.engine.GET('/api/topologies/{topology}/nodes', { params }))
        return items.every(({ name }) => name !== 'b')
      },
      { timeoutMs: 20_000 },
    )
    expect(worker.seen.filter(({ node }) => node === 'b')).toHaveLength(3)
  })

  test('what a publish would change is shown, and a node is tried with a message that failed at it', async () => {
    const nodes = [
      { name: 'begin', type: 'start' as const },
      { name: 'store', type: 'connector' as const, worker: 'w' },
    ]
    const body = { name: 'compared', nodes, edges: [{ from: 'begin', to: 'store' }] }
    await dataOf(t.engine.POST('/api/topologies', { body }))
    const params = { path: { topology: 'compared' } }
    await dataOf(t.engine.POST('/api/topologies/{topology}/publish', { params }))
    await dataOf(t.engine.POST('/api/topologies/{topology}/run', { params, body: { body: { order: 'captured' } } }))
    await eventually(
      'it has failed',
      async () => (await t.engine.list('/api/trash', { query: { topology: 'compared' } })).length === 1,
    )
    const page = await t.page('/topologies/compared/edit')
    const difference = page.getByRole('dialog', { name: 'Against revision 1' })
    await page.getByRole('button', { name: 'Difference' }).click()
    await difference.getByText('It says the same as revision 1.').waitFor()
    await page.keyboard.press('Escape')
    await card(page, 'store').click()
    await form(page, 'store').getByRole('tab', { name: 'Calls' }).click()
    await form(page, 'store').getByRole('textbox', { name: 'Prefetch' }).fill('9')
    await palette(page, 'webhook').click()
    await page.getByRole('button', { name: 'Difference' }).click()
    for (const text of ['node store changed', 'node webhook added'])
      await difference.getByRole('listitem').filter({ hasText: text }).waitFor()
    await difference.getByRole('listitem').filter({ hasText: 'node store changed' }).getByText('prefetch').waitFor()
    await page.keyboard.press('Escape')

    await card(page, 'store').click()
    await form(page, 'store').getByRole('button', { name: 'Try it on a message…' }).click()
    const trial = page.getByRole('dialog', { name: 'Try store' })
    await trial.getByText('the call goes by what is').waitFor()
    await trial.getByText('From Trash').click()
    await trial.getByRole('row', { name: /422/ }).getByRole('radio').click()
    await trial.getByRole('button', { name: 'Call it once' }).click()
    const answer = trial.getByRole('region', { name: 'What came of the call' })
    await answer.getByText('with status 422').waitFor()
    await answer.getByLabel('Request', { exact: true }).getByText('"captured"').waitFor()
    const calls = worker.seen.filter(({ body }) => body.includes('captured'))
    expect(calls.map(({ headers }) => headers['sluice-try'])).toEqual([undefined, '1'])
    expect((await t.engine.list('/api/trash', { query: { topology: 'compared' } })).map(({ state }) => state)).toEqual([
      'open',
    ])
  })

  test('what is exported is the document, in YAML and JSON, and BPMN as the engine draws it', async () => {
    await visit('orders')
    const exported = async (item: string): Promise<readonly [string, string]> => {
      const [file] = await Promise.all([page.waitForEvent('download'), openMenu(page, item)])
      return [file.suggestedFilename(), readFileSync(await file.path(), 'utf8')]
    }
    const document = await draftOf('orders')
    const [name, yaml] = await exported('Export as YAML')
    expect([name, parseDocument(yaml, name)]).toEqual(['orders.yaml', { document, faults: [] }])
    const [, json] = await exported('Export as JSON')
    expect(JSON.parse(json)).toEqual(document)
    const [, xml] = await exported('Export as BPMN')
    const params = { path: { topology: 'orders' } }
    expect(xml).toBe(await dataOf(t.engine.GET('/api/topologies/{topology}/schema.bpmn', { params, parseAs: 'text' })))
  })

  test('a schedule says when it fires next, five times, and what is wrong with it at its field', async () => {
    await page.getByRole('link', { name: 'Cron' }).click()
    await page.getByLabel('Schedule', { exact: true }).fill('30 2 * * *')
    await page.getByLabel('Time zone').fill('Europe/Prague')
    const firings = page.getByRole('list', { name: 'The next firings' }).getByRole('listitem')
    await firings.first().getByText('T02:30:00+0').waitFor()
    expect(await firings.count()).toBe(5)
    await firings.first().locator('time').hover()
    await page.getByRole('tooltip').getByText(/ UTC$/).waitFor()
    await page.getByLabel('Schedule', { exact: true }).fill('61 * * * *')
    await page.getByText('the minute is "61"').waitFor()
    expect(await page.getByLabel('Schedule', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await page.getByLabel('Schedule', { exact: true }).fill('@daily')
    await page.getByLabel('Time zone').fill('Mars/X')
    await page.getByText('is not a time zone').waitFor()
  })

  test('who may only look exports, and is told why he can’t import', async () => {
    const token = newTokenText()
    await insertToken(t.store, token, { name: 'viewer', scopes: ['read'], topologyId: null, expiresAt: null })
    const page = await t.page('/topologies/orders', { token })
    await button(page, 'More').click()
    const item = page.getByRole('menuitem', { name: 'Import…' })
    expect([await item.isDisabled(), await item.getAttribute('title')]).toEqual([
      true,
      'The token you are logged in with lacks the scope “design”',
    ])
    expect(await page.getByRole('menuitem', { name: 'Export as YAML' }).isEnabled()).toBe(true)
  })

  test('on a narrow dark page nothing hinders people', async () => {
    const found: string[] = []
    const narrow = { scheme: 'dark', width: 390 } as const
    const page = await t.page('/topologies/drawn', narrow)
    const kept = async (name: string): Promise<void> => {
      await keepPicture(page, `${name}-390-dark`)
      found.push(...(await hindrances(page)).map((one) => `${name}: ${one}`))
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
      if (wide > narrow.width) found.push(`${name} is ${wide} wide`)
    }
    await openMenu(page, 'Import…')
    const faulty = { ...chain('drawn', { a: { prefetch: 7, retry: { attempts: 3 } } }), labels: { team: 'shop' } }
    await dialog(page).getByLabel('Document').fill(yamlOf(faulty).replace('worker: w', 'worker: nobody'))
    await dialog(page).getByText('node a').first().waitFor()
    await kept('import-fault')
    await page.keyboard.press('Escape')
    await openMenu(page, 'Publish the draft…')
    await dialog(page).getByText('pause.worker').waitFor()
    await kept('publish-fault')
    await page.close()
    expect(found).toEqual([])
  })
})
