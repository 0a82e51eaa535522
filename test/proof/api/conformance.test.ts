import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { serveEngine } from './engine.ts'
import type { ServedEngine } from './engine.ts'
import { lacksPython, pythonTools, toolRun } from './tools.ts'

/** How many requests are made up; the schemathesis of this run goes on until it has made that many. */
const cases = Number(process.env.SLUICE_PROOF_CASES ?? 2_000)
/** The same requests each time, unless another seed asks for others. */
const seed = process.env.SLUICE_PROOF_SEED ?? '20261127'
const lacking = await lacksPython()
const here = new URL('./schemathesis/', import.meta.url)

/** Something of each kind, with a run that ended well and one that lies in Trash. */
async function fill({ call, workerUrl }: ServedEngine): Promise<void> {
  await call('POST', '/api/workers', { name: 'orders', urls: [workerUrl] })
  await call('POST', '/api/services', { name: 'orders', limits: [{ rate: 1, per: 'second' }] })
  const nodes = ['check', 'refuse'].map((name) => ({ name, type: 'custom', worker: 'orders' }))
  const edges = [
    { from: 'start', to: 'check' },
    { from: 'check', to: 'refuse' },
  ]
  await call('POST', '/api/topologies', { name: 'orders', nodes: [{ name: 'start', type: 'start' }, ...nodes], edges })
  await call('POST', '/api/topologies/orders/publish')
  for (let n = 0; n < 5; n++) await call('POST', '/api/topologies/orders/run', { body: { n } })
  await eventually('five messages lie in Trash', async () => {
    const { items } = await call('GET', '/api/trash')
    return (items as unknown[]).length === 5
  })
}

interface Documented {
  readonly paths: Record<string, Record<string, { responses: Partial<Record<string, { content?: object }>> }>>
}

/** Streams of events don't end, so nobody can wait for the whole of one. */
function endless({ paths }: Documented): string[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.values(item).some(({ responses }) => 'text/event-stream' in (responses['200']?.content ?? {}))
      ? ['--exclude-path', path]
      : [],
  )
}

test.skipIf(lacking !== null)(
  `schemathesis finds no server error and nothing that the OpenAPI document doesn't say${lacking === null ? '' : `: ${lacking}`}`,
  async () => {
    const engine = await serveEngine()
    await fill(engine)
    const document = (await engine.call('GET', '/api/openapi.json')) as unknown as Documented
    const operations = Object.values(document.paths).flatMap((item) => Object.keys(item)).length
    const bin = await pythonTools(new URL('requirements.txt', here))
    const cwd = mkdtempSync(join(tmpdir(), 'sluice-schemathesis-'))
    onTestFinished(() => rmSync(cwd, { recursive: true }))
    const { code, output } = await toolRun(
      join(bin, 'st'),
      [
        ...['--config-file', new URL('schemathesis.toml', here).pathname, 'run', `${engine.url}/api/openapi.json`],
        ...[
          '--header',
          `Authorization: Bearer ${engine.token}`,
          '--checks',
          'all',
          '--phases',
          'examples,coverage,fuzzing',
        ],
        ...['--max-examples', String(Math.ceil(cases / operations)), '--request-timeout', '30', '--seed', seed],
        ...['--no-color', '--generation-database', 'none', '--continue-on-failure', ...endless(document)],
      ],
      {
        cwd,
        env: { SCHEMATHESIS_HOOKS: 'hooks', PYTHONPATH: here.pathname, SLUICE_TOKEN: engine.token },
        timeoutMs: 3_600_000,
      },
    )
    const generated = Number(/(\d+) generated/.exec(output)?.[1] ?? 0)
    console.log(JSON.stringify({ operations, generated, seed }))
    expect(code === 0 ? '' : output).toBe('')
    expect(generated).toBeGreaterThanOrEqual(cases)
    expect((await fetch(`${engine.url}/readyz`)).status).toBe(200)
  },
  3_600_000,
)
