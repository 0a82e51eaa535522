import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { init } from '../../runtime/commands/init.ts'
import { projectFiles } from '../../runtime/commands/init/templates.ts'
import { Invalid } from '../../runtime/errors.ts'
import { parseDocument } from '../../runtime/topology/document.ts'

const run = promisify(execFile)
const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

let folder: string
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'sluice-init-'))))
afterEach(() => rm(folder, { recursive: true }))

describe('a new project', () => {
  test('has a worker, a topology, a README of ten lines and a package.json', async () => {
    const said: string[] = []
    const dir = join(folder, 'deep/my-shop')
    await init(dir, { log: (line) => void said.push(line) })
    expect((await readdir(dir)).sort()).toEqual([
      '.gitignore',
      'README.md',
      'package.json',
      'topology.yaml',
      'worker.mjs',
    ])
    expect((await readFile(join(dir, 'README.md'), 'utf8')).trimEnd().split('\n')).toHaveLength(10)
    expect(said).toEqual([`Made my-shop in ${dir}. Next:`, `  cd ${dir} && npm install && npm start`])
  })

  test('gets engine and SDK from this checkout, and starts them with worker and topology', async () => {
    await init(folder, { name: 'shop' })
    const content = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(content).toMatchObject({
      name: 'shop',
      dependencies: { '@sluiceway/worker': `file:${checkout}/workers/sdk`, sluiceway: `file:${checkout}` },
    })
    const { start } = content.scripts as Record<string, string>
    expect(start).toMatch(/^exec node .*main\.ts" dev --no-sample --worker worker\.mjs --apply topology\.yaml$/)
  })

  test('from a package gets both from the registry', () => {
    const project = { name: 'shop', sluice: 'sluice', dependencies: { sluiceway: '^1.0.0' }, allowScripts: {} }
    const content = JSON.parse(projectFiles(project)['package.json'] ?? '') as Record<string, unknown>
    expect(content).toMatchObject({ scripts: { sluice: 'exec sluice' }, dependencies: { sluiceway: '^1.0.0' } })
    expect(content).not.toHaveProperty('allowScripts')
  })

  test('has a topology that the engine takes', async () => {
    await init(folder, { name: 'shop' })
    const { document, faults } = parseDocument(await readFile(join(folder, 'topology.yaml'), 'utf8'), 'topology.yaml')
    expect(faults).toEqual([])
    expect(document?.nodes.map(({ name }) => name)).toEqual(['start', 'orders', 'total'])
  })

  test('has a worker that hands out all orders, page by page, and adds each up', async () => {
    await init(folder, { name: 'shop' })
    await symlink(join(checkout, 'node_modules'), join(folder, 'node_modules'))
    const code = `
      const { default: worker } = await import(${JSON.stringify(pathToFileURL(join(folder, 'worker.mjs')).href)})
      const call = (node, body, headers) => worker.fetch(new Request('http://worker/nodes/' + node, {
        method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }))
      let cursor = null
      do {
        const page = await call('orders', {}, cursor === null ? {} : { 'sluice-cursor': cursor })
        for (const order of await page.json()) await call('total', order)
        cursor = page.headers.get('sluice-cursor')
      } while (cursor !== null)`
    const loader = ['--import', import.meta.resolve('tsx'), '--conditions=source', '--input-type=module']
    const { stdout } = await run(process.execPath, [...loader, '-e', code])
    const lines = stdout.trim().split('\n')
    expect(lines).toHaveLength(10)
    expect([lines[0], lines[1], lines[9]]).toEqual([
      'order 1 of Ada: 10',
      'order 2 of Grace: 22',
      'order 10 of Ada: 38',
    ])
  })
})

describe('a project is refused', () => {
  test('in a folder that has something in it, which stays as it is', async () => {
    await writeFile(join(folder, 'mine.txt'), 'x')
    await expect(init(folder, { name: 'shop' })).rejects.toThrow(
      new Invalid(`${folder} is not empty: choose a new folder`),
    )
    expect(await readdir(folder)).toEqual(['mine.txt'])
  })

  test('where a file is', async () => {
    await writeFile(join(folder, 'shop'), 'x')
    await expect(init(join(folder, 'shop'))).rejects.toThrow('is a file: choose a new folder')
  })

  test.each(['My Shop', 'a/b', '', 'x'.repeat(64), '../x', 'shop"'])('with the name "%s"', async (name) => {
    const dir = join(folder, 'new')
    await mkdir(dir)
    await expect(init(dir, { name })).rejects.toBeInstanceOf(Invalid)
    expect(await readdir(dir)).toEqual([])
  })
})
