import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { inject } from 'vitest'
import { ensureConsole } from '../../bin/console.mjs'
import { openEngine } from '../../runtime/client/engine.ts'
import type { Engine } from '../../runtime/client/engine.ts'
import { listen } from '../../runtime/commands/listen.ts'
import { ownBridge, ownControl, ownQueues, ownServing, ownStore } from '../../runtime/commands/parts.ts'
import { openStack } from '../../runtime/commands/stack.ts'
import { newId } from '../../runtime/ids.ts'
import { resolveOptions } from '../../runtime/options.ts'
import type { Store } from '../../runtime/store/store.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { freshDatabase } from '../support/database.ts'

/** Where Debian puts it; SLUICE_CHROMIUM names another one. Null: there is none, and tests of pages are skipped. */
export const chromiumPath = [process.env.SLUICE_CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome']
  .filter((name) => name !== undefined)
  .map((name) => spawnSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim())
  .find((path) => path !== '')

/** Pictures of every page in light and dark, wide and narrow, take minutes: `SLUICE_PROOF_LOOKS=1 npm run proof -- test/proof/console`. */
export const keepsPictures = process.env.SLUICE_PROOF_LOOKS !== undefined

/** Colours, and width in pixels: a desk and a phone. */
export const looks = [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
  ['dark', 390],
] as const

/** Git-ignored: what pages looked like in the last run. */
const artefacts = 'artefacts/console'

export interface Looking {
  readonly width?: number
  readonly scheme?: 'light' | 'dark'
  /** By default the administrator's; null: nobody is logged in. */
  readonly token?: string | null
}

export interface TestConsole {
  readonly url: string
  /** The administrator's. */
  readonly token: string
  /** The API, for what a test sets up, and to see what a page did. */
  readonly engine: Engine
  readonly store: Store
  /** Of its database, for rows that are made inside of it. */
  readonly postgresUrl: string
  /** Opens a page in a browser of its own, logged in. Errors of the page, also what its content security policy refuses, fail the test with `close`. */
  page(path: string, looking?: Looking): Promise<Page>
  close(): Promise<void>
}

/** A whole engine with the built console on a port of its own, and Chromium before it: for `beforeAll`. */
export async function openConsole(): Promise<TestConsole> {
  await ensureConsole()
  const stack = openStack(silentLog)
  const token = newId() + newId()
  const environment = { SLUICE_ADMIN_TOKEN: token, SLUICE_SECRET_KEY: newId(), SLUICE_NAMESPACE: `t_${newId()}` }
  const flags = { natsUrl: inject('natsUrl'), postgresUrl: await freshDatabase(), port: '0' }
  const needed = ['natsUrl', 'postgresUrl', 'adminToken', 'secretKey'] as const
  const options = resolveOptions('control', { flags, environment }, needed)
  const { graceMs, highWater } = resolveOptions('bridge', { flags: { ...flags, port: undefined }, environment })
  const listening = await stack.own(
    () => listen({ port: 0, host: '127.0.0.1', chosenBy: 'the test' }),
    (it) => it.close(),
  )
  const store = await ownStore(stack, options.postgresUrl)
  const queues = await ownQueues(stack, options, 'test', silentLog)
  const fetch = await ownControl(stack, { queues, store }, options, silentLog)
  await ownBridge(stack, queues, { ...options, graceMs, highWater }, silentLog)
  await ownServing(stack, listening, fetch)
  const browser = await stack.own(
    () => chromium.launch({ executablePath: chromiumPath ?? 'chromium', args: ['--no-sandbox'] }),
    (it) => it.close(),
  )
  const { url } = listening
  const faults: string[] = []
  return {
    url,
    token,
    engine: openEngine({ url, token }),
    store,
    postgresUrl: options.postgresUrl,
    page: (path, looking = {}) => openPage(browser, url + path, { token, ...looking }, faults),
    async close() {
      await stack.stop()
      if (faults.length > 0) throw new Error(`pages had faults: ${faults.join('; ')}`)
    },
  }
}

async function openPage(
  browser: Browser,
  address: string,
  { width = 1280, scheme = 'light', token }: Looking,
  faults: string[],
): Promise<Page> {
  const context = await browser.newContext({ viewport: windowOf(width), colorScheme: scheme, locale: 'en-GB' })
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(`${page.url()} ${error.message}`))
  page.on('console', (message) => {
    // What the engine refuses, Chromium tells as an error, too; pages show it.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      faults.push(`${page.url()} ${message.text()}`)
  })
  // The engine, the browser and other proofs share the processors.
  page.setDefaultTimeout(20_000)
  if (typeof token === 'string') {
    const { origin } = new URL(address)
    const headers = { origin }
    await context.request.post(`${origin}/api/session`, { data: { token }, headers })
  }
  await page.goto(address)
  return page
}

/** As high as a desk or a phone of that width has it. */
export function windowOf(width: number): { width: number; height: number } {
  return { width, height: width < 600 ? 844 : 800 }
}

/** Keeps what the page looks like, for people. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  mkdirSync(artefacts, { recursive: true })
  // What sticks to the window is drawn where that is.
  await page.evaluate('scrollTo(0, 0)')
  await page.screenshot({ path: join(artefacts, `${name}.png`), fullPage: true })
}

/** Whether nothing is being read any more, and nothing moves. */
export function isStill(page: Page): Promise<boolean> {
  return page.evaluate(
    "document.querySelector('.mantine-Loader-root, .mantine-Skeleton-root') === null && document.getAnimations().length === 0",
  )
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

interface AxeFinding {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[]
}

/** Serious and critical findings of axe-core, one line each; none is what is wanted. */
export async function hindrances(page: Page): Promise<string[]> {
  // Evaluated by the debugger: the page's own content security policy lets no script in.
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(readFileSync(axe, 'utf8'))
  const violations = await page.evaluate<AxeFinding[]>(
    'axe.run({ resultTypes: ["violations"], preload: false }).then((r) => r.violations)',
  )
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(
        ({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary.split('\n')[1]?.trim() ?? ''}`,
      ),
    )
}
