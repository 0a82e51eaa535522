import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { serveEngine } from './engine.ts'
import type { ServedEngine } from './engine.ts'
import { lacksGo, lacksPython, pythonTools, toolOutput } from './tools.ts'

const [noPython, noGo] = await Promise.all([lacksPython(), lacksGo()])
const oapiCodegen = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2'
const why = (lacking: string | null): string => (lacking === null ? '' : `: ${lacking}`)

/** A folder for a client, with the document that the engine serves. */
async function folderFor({ call }: ServedEngine): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-client-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(await call('GET', '/api/openapi.json')))
  return folder
}

test.skipIf(noPython !== null)(
  `a client generated for Python creates, publishes, runs, tunes and inspects topologies${why(noPython)}`,
  async () => {
    const engine = await serveEngine()
    const cwd = await folderFor(engine)
    const here = new URL('./python/', import.meta.url).pathname
    const bin = await pythonTools(new URL('./python/requirements.txt', import.meta.url))
    const how = ['generate', '--path', 'openapi.json', '--config', join(here, 'generate.yaml'), '--fail-on-warning']
    await toolOutput(join(bin, 'openapi-python-client'), [...how, '--meta', 'none', '--output-path', 'sluice'], { cwd })
    const args = [join(here, 'flow.py'), engine.url, engine.token, engine.workerUrl]
    const said = await toolOutput(join(bin, 'python'), args, { cwd, env: { PYTHONPATH: cwd } })
    expect(said.trim()).toBe('done')
  },
)

test.skipIf(noGo !== null)(
  `a client generated for Go creates, publishes, runs, tunes and inspects topologies${why(noGo)}`,
  async () => {
    const engine = await serveEngine()
    const cwd = await folderFor(engine)
    cpSync(new URL('./go/', import.meta.url).pathname, cwd, { recursive: true })
    await toolOutput('mkdir', ['sluice'], { cwd })
    await toolOutput('go', ['run', oapiCodegen, '-config', 'generate.yaml', 'openapi.json'], { cwd })
    const said = await toolOutput('go', ['run', '.', engine.url, engine.token, engine.workerUrl], { cwd })
    expect(said).toMatch(/^done$/m)
  },
)
