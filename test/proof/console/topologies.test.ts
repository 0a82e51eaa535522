import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dataOf } from '../../../runtime/client/answer.ts'
import { insertToken, newTokenText } from '../../../runtime/store/queries/tokens.ts'
import { chain } from '../../api/open.ts'
import { chromiumPath, hindrances, keepPicture, openConsole } from '../../console/open.ts'
import type { TestConsole } from '../../console/open.ts'
import { eventually } from '../../support/eventually.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import type { FakeWorker } from '../../support/fake-worker.ts'

/** The worker holds what comes to b until the test ends, and refuses for good what comes to c. */
describe.skipIf(chromiumPath === undefined)('topologies, in Chromium', () => {
  let t: TestConsole
  let worker: FakeWorker
  const held: (() => void)[] = []
  const params = { path: { topology: 'orders' } }

  beforeAll(async () => {
    t = await openConsole()
    worker = await fakeWorker(async ({ node, body }) => {
      if (node === 'b') await new Promise<void>((resolve) => held.push(resolve))
      return node === 'c' ? { status: 422, body: '{"title":"no country"}', headers: problem } : { body, headers: json }
    })
    await dataOf(t.engine.POST('/api/workers', { body: { name: 'w', urls: [worker.url], dialect: 'native' } }))
    const { nodes, edges } = chain('orders')
    const body = {
      name: 'orders',
      description: 'Of the shop',
      labels: { team: 'shop' },
      nodes: [...nodes, { name: 'c', type: 'custom', worker: 'w' }],
      edges: [...edges, { from: 'start', to: 'c' }],
    }
    await dataOf(t.engine.POST('/api/topologies', { body: body as never }))
    await dataOf(t.engine.POST('/api/topologies/{topology}/publish', { params }))
    await dataOf(t.engine.POST('/api/topologies', { body: chain('drafted') as never }))
    for (let i = 0; i < 30; i++)
      await dataOf(t.engine.POST('/api/topologies/{topology}/run', { params, body: { body: { order: i } } }))
    await eventually(
      'all wait before b, and all have failed at c',
      async () => {
        const queues = await t.engine.list('/api/queues', { query: { topology: 'orders' } })
        const trash = await t.engine.list('/api/trash', { query: { topology: 'orders' } })
        return queues.find(({ node }) => node === 'b')?.pending === 29 && trash.length === 30
      },
      { timeoutMs: 30_000 },
    )
  })
  afterAll(async () => {
    for (const release of held) release()
    await t.close()
    await worker.close()
  })
  const json = { 'content-type': 'application/json' }
  const problem = { 'content-type': 'application/problem+json' }

  test('the list has state, backlog and failures, and finds by name, label and state; the address says what is shown', async () => {
    const page = await t.page('/topologies')
    const row = page.getByRole('row', { name: /^orders/ })
    await row.getByText('Published').last().waitFor()
    await row.getByText('running').waitFor()
    expect(await row.getByRole('cell').allInnerTexts()).toEqual(expect.arrayContaining(['30']))
    await eventually('the backlog is told', async () => /\b30\b.*\b30\b/s.test(await row.innerText()))
    await page.getByRole('textbox', { name: 'Search by name' }).fill('draft')
    await row.waitFor({ state: 'detached' })
    expect(page.url()).toContain('text=draft')
    const shared = await t.page('/topologies?labels=team%3Dshop&show=attention')
    await shared.getByRole('row', { name: /^orders/ }).waitFor()
    expect(await shared.getByRole('row').count()).toBe(2)
    await shared.goto(`${t.url}/topologies?text=nothing-like-it`)
    await shared.getByText('None is like that').waitFor()
  })

  test('a backlog that nobody told yet is no 0, and what isn’t told any more is said to be old, with since when', async () => {
    const page = await t.page('/topologies')
    await page.route('**/api/events', (route) => route.abort())
    await page.clock.install()
    await page.reload()
    const backlog = page
      .getByRole('row', { name: /^orders/ })
      .getByRole('cell')
      .nth(4)
    await backlog.getByText('–').waitFor()
    const old = page.getByRole('status').filter({ hasText: /Not updated since \d\d:\d\d: the connection over which/ })
    await eventually('it is away for long enough', async () => {
      await page.clock.fastForward(5_000)
      return await old.isVisible()
    })
    await page.unroute('**/api/events')
    await eventually('the connection is made anew', async () => {
      await page.clock.fastForward(5_000)
      return (await backlog.innerText()) === '30' && !(await old.isVisible())
    })
  })

  test('the graph shows where messages wait; a node says why, which they are, and what failed', async () => {
    const page = await t.page('/topologies/orders')
    await page
      .getByRole('button', { name: /^b, connector, 29 waiting, 1 in flight, at its prefetch, the bottleneck$/ })
      .click()
    const panel = page.getByRole('complementary', { name: 'Node b' })
    await panel.getByText('29 messages').waitFor()
    await panel.getByText(/^1 message: at the worker/).waitFor()
    await panel.getByRole('tab', { name: 'Messages' }).click()
    await panel.getByText('"order"').first().waitFor()
    expect(page.url()).toContain('node=b&tab=messages')
    await page.getByRole('button', { name: /^c, custom, .*30 failed/ }).click()
    await page.getByRole('tab', { name: 'Trash 30' }).click()
    await page.getByText('no country').first().waitFor()
    await page.getByRole('tab', { name: 'Trash 30' }).press('Escape')
    await page.getByRole('complementary', { name: 'Node c' }).waitFor({ state: 'detached' })
  })

  /** As if control had looked at b for some seconds, every so many, until some seconds ago. */
  async function seenFor(seconds: number, step: number, waiting: number, ago = 0): Promise<void> {
    const nodes = await t.engine.list('/api/topologies/{topology}/nodes', params)
    const b = nodes.find(({ name }) => name === 'b')?.id ?? ''
    const last = Math.floor((Date.now() / 1_000 - ago) / step) * step
    await t.store.query((db) =>
      db.execute(sql`
        insert into node_figures (node_id, step_seconds, at, waiting, in_flight, per_second)
        select seen.id, ${step}::int, to_timestamp(${last}::float8 - n * ${step}::int), seen.waiting, 1, 2.5
        from generate_series(0, ${seconds / step - 1}::int) n, (values (${b}, ${waiting}::int), ('', 0)) as seen(id, waiting)
        on conflict do nothing`),
    )
  }

  test('charts show what was seen of a node in the last 15 minutes and 24 hours', async () => {
    await seenFor(60, 60, 512, 10 * 3_600)
    const page = await t.page('/topologies/orders?node=b&tab=charts')
    const chart = (name: RegExp) => page.getByRole('img', { name }).waitFor({ timeout: 30_000 })
    await chart(/^Waiting over time: last 29, at most 29$/)
    await chart(/^In flight over time: last 1,/)
    await page.getByText('24 hours').click()
    await chart(/^Waiting over time: last \d+, at most 512$/)
    await chart(/^Rate over time: last .*, at most 2.5\/s$/)
  })

  test('a node is paused and goes on from its panel; starts are refused and taken again from the menu, and what is refused is taken back', async () => {
    const page = await t.page('/topologies/orders?node=c')
    const toldOf = async () => {
      const nodes = await t.engine.list('/api/topologies/{topology}/nodes', params)
      const { enabled } = await dataOf(t.engine.GET('/api/topologies/{topology}', { params }))
      return { enabled, paused: nodes.find(({ name }) => name === 'c')?.paused }
    }
    await page.getByRole('button', { name: 'Pause the node' }).click()
    await page.getByText('c is paused', { exact: true }).waitFor()
    expect(await toldOf()).toEqual({ enabled: true, paused: true })
    await page.getByRole('button', { name: 'Resume the node' }).click()
    await page.getByText('c goes on', { exact: true }).waitFor()
    const choose = async (item: RegExp) => {
      await page.getByRole('button', { name: 'More', exact: true }).click()
      await page.getByRole('menuitem', { name: item }).click()
    }
    await choose(/^Disable/)
    await page.getByText('orders takes no more starts').waitFor()
    expect(await toldOf()).toEqual({ enabled: false, paused: false })
    await choose(/^Enable/)
    await page.getByText('orders takes starts').waitFor()
    await page.route('**/api/nodes/*', (route) =>
      route.request().method() === 'PATCH' ? route.abort() : route.continue(),
    )
    await page.getByRole('button', { name: 'Pause the node' }).click()
    await page.getByText('c was not paused').waitFor()
    await page.getByRole('button', { name: 'Pause the node' }).waitFor()
    expect(await toldOf()).toEqual({ enabled: true, paused: false })
  })

  test('the modal of prefetch says what the figures of the node say', async () => {
    await seenFor(5 * 60, 10, 29)
    const page = await t.page('/topologies/orders?node=b')
    await page.getByTestId('node-label').getByRole('button', { name: 'Settings' }).click()
    await page.getByText('Its figures say: raise it').waitFor()
    await page.getByText('as high as fits the worker').waitFor()
    for (const signal of ['isn’t pegged: raise it', 'lower it']) await page.getByText(signal).first().waitFor()
  })

  test('what happens is seen without asking: a run that starts, a pause, an unpublish with what it keeps', async () => {
    const page = await t.page('/topologies/orders')
    await page.getByRole('button', { name: /^b, connector, 29 waiting/ }).waitFor()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.getByRole('textbox', { name: 'Body' }).fill('{"order":')
    await page.getByText('This is no JSON').waitFor()
    const typed = '{"order": 12345678901234567890, "rate": 1.0, "order": 31}'
    await page.getByRole('textbox', { name: 'Body' }).fill(typed)
    await page.getByRole('button', { name: 'Start the run' }).click()
    const [, runId = ''] = /^Run (\w+) was started/.exec(await page.getByText(/^Run .* was started/).innerText()) ?? []
    const started = await eventually('the run is there with what it began with', () =>
      dataOf(t.engine.GET('/api/runs/{id}/start', { params: { path: { id: runId } } })),
    )
    expect([started.contentType, atob(started.bodyBase64)]).toEqual(['application/json', typed])
    expect(await page.getByRole('link', { name: 'see how it goes' }).getAttribute('href')).toBe(`/runs/${runId}`)
    await page.getByRole('button', { name: /^b, connector, 30 waiting/ }).waitFor()
    await dataOf(t.engine.PATCH('/api/topologies/{topology}', { params, body: { paused: true } }))
    await page.getByText('Paused', { exact: true }).waitFor()
    const told = new Promise<() => void>((resolve) => {
      void page.route('**/api/topologies/*', (route) => {
        if (route.request().method() === 'PATCH') resolve(() => void route.continue())
        else void route.continue()
      })
    })
    await page.getByRole('button', { name: 'Resume' }).click()
    const tell = await told
    // Shown at once, also while the engine hasn't said yes.
    await page.getByText('Paused', { exact: true }).waitFor({ state: 'detached' })
    expect((await dataOf(t.engine.GET('/api/topologies/{topology}', { params }))).paused).toBe(true)
    tell()
    await page.getByText('orders goes on').waitFor()
    await page.getByText('Paused', { exact: true }).waitFor({ state: 'detached' })
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Unpublish…' }).click()
    await page.getByRole('dialog').getByText('31 queued messages').waitFor()
    await page.getByRole('button', { name: 'Cancel' }).click()
  })

  test('what a token may not do can’t be pressed, and says why', async () => {
    const token = newTokenText()
    await insertToken(t.store, token, { name: 'viewer', scopes: ['read'], topologyId: null, expiresAt: null })
    const page = await t.page('/topologies/orders?node=b&tab=messages', { token })
    await page.getByText('What they hold isn’t shown').waitFor()
    expect(await page.getByText('"order"').count()).toBe(0)
    const run = page.getByRole('button', { name: 'Run', exact: true })
    await run.focus()
    await page.getByRole('tooltip').getByText('lacks the scope “run”').waitFor()
    await page.keyboard.press('Enter')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  test('a token of one topology sees that one, and no lists of others', async () => {
    const { id } = await dataOf(t.engine.GET('/api/topologies/{topology}', { params }))
    const token = newTokenText()
    await insertToken(t.store, token, { name: 'one', scopes: ['read'], topologyId: id, expiresAt: null })
    const page = await t.page('/', { token })
    await page.getByRole('heading', { name: 'orders' }).waitFor()
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByRole('button', { name: /^b, connector, \d+ waiting, 1 in flight/ }).waitFor()
    const menu = await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allInnerTexts()
    expect(menu).toEqual(['Runs', 'Trash', 'Cursors', 'Cron'])
    await page.getByRole('link', { name: 'Cron' }).click()
    await page.getByText('Nothing runs by a schedule').waitFor()
  })

  test('Ctrl-K leads to a node by its name', async () => {
    const page = await t.page('/topologies')
    await page.getByText('Live', { exact: true }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).fill('orders')
    await page.getByRole('option', { name: /^orders/ }).waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'orders' }).waitFor()
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).fill('b')
    await page.getByRole('option', { name: /^b node · orders/ }).click()
    await page.getByText('Connector: b').waitFor()
  })

  test('without events the sign says so, and what is shown is right again afterwards', async () => {
    const page = await t.page('/topologies', { token: null })
    await page.route('**/api/events', (route) => route.abort())
    await page.goto(`${t.url}/topologies#token=${t.token}`)
    await page.getByText('Reconnecting').waitFor()
    const row = page.getByRole('row', { name: /^drafted/ })
    await row.waitFor()
    const drafted = { path: { topology: 'drafted' } }
    await dataOf(t.engine.PATCH('/api/topologies/{topology}', { params: drafted, body: { enabled: false } }))
    expect(await row.getByText('Disabled').count()).toBe(0)
    await page.unroute('**/api/events')
    await page.getByText('Live', { exact: true }).waitFor()
    await row.getByText('Disabled').last().waitFor()
  })

  test('what changed after a page was read, but before its events began, is shown once they do', async () => {
    const page = await t.page('/topologies', { token: null })
    const begun = new Promise<() => void>((resolve) => {
      void page.route('**/api/events', (route) => resolve(() => void route.continue()))
    })
    await page.goto(`${t.url}/topologies#token=${t.token}`)
    const row = page.getByRole('row', { name: /^drafted/ })
    await row.waitFor()
    const begin = await begun
    const drafted = { path: { topology: 'drafted' } }
    await dataOf(t.engine.PATCH('/api/topologies/{topology}', { params: drafted, body: { labels: { late: 'yes' } } }))
    expect(await row.getByText('late').count()).toBe(0)
    begin()
    await row.getByText('late').last().waitFor()
  })

  test('labels of any length leave the name to be read and pressed', async () => {
    const labels = { team: 'a'.repeat(60), region: 'b'.repeat(60) }
    await dataOf(t.engine.POST('/api/topologies', { body: { ...(chain('labelled') as object), labels } as never }))
    const page = await t.page('/topologies')
    await page.getByRole('link', { name: 'labelled' }).click()
    await page.waitForURL(`${t.url}/topologies/labelled`)
  })

  test.each([
    ['light', 1280],
    ['dark', 390],
  ] as const)('in %s nothing hinders people, %i pixels wide', async (scheme, width) => {
    const found: string[] = []
    const page = await t.page('/topologies', { scheme, width })
    const kept = async (name: string): Promise<void> => {
      await keepPicture(page, `${name}-${width}-${scheme}`)
      found.push(...(await hindrances(page)).map((one) => `${name} at ${width}: ${one}`))
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth')
      if (wide > width) found.push(`${name} is ${wide} wide at ${width}`)
    }
    await page.getByRole('row', { name: /^orders/ }).waitFor()
    await kept('topologies')
    await page.goto(`${t.url}/topologies/orders`)
    await page.getByRole('button', { name: /^b, connector, \d+ waiting/ }).waitFor()
    await kept('topology')
    for (const tab of ['now', 'charts', 'settings', 'messages', 'trash']) {
      await page.goto(`${t.url}/topologies/orders?node=b&tab=${tab}`)
      await page.getByRole('complementary').waitFor()
      await kept(`node-${tab}`)
    }
    await page.getByTestId('node-label').getByRole('button', { name: 'Settings' }).click()
    await page.getByText('Its figures say').waitFor()
    await kept('prefetch')
    await page.close()
    expect(found).toEqual([])
  })
})
