import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { processesOf } from '../support/leaks.ts'

type Script = ChildProcessByStdio<null, Readable, Readable>

/** A small checkout: the real start script, and an engine that each test writes. */
let checkout: string

beforeEach(() => {
  checkout = mkdtempSync(join(tmpdir(), 'sluice-start-'))
  onTestFinished(() => rmSync(checkout, { recursive: true }))
  for (const folder of ['bin', 'runtime', 'node_modules']) mkdirSync(join(checkout, folder))
  for (const file of ['start.mjs', 'leash.mjs', 'install.mjs', 'compiled.mjs'])
    copyFileSync(`bin/${file}`, join(checkout, 'bin', file))
  write('bin/console.mjs', 'export async function ensureConsole() {}')
  symlinkSync(join(process.cwd(), 'node_modules/typescript'), join(checkout, 'node_modules/typescript'))
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { start: string } }
  write('package.json', JSON.stringify({ type: 'module', scripts: { start: scripts.start } }))
  write('package-lock.json', '{ "packages": { "": {} } }')
  write('node_modules/.package-lock.json', '{ "packages": {} }')
})

test('arguments reach `dev` and its exit code comes back', async () => {
  engine('console.log(process.argv.slice(2).join()); process.exit(7)')
  expect(await end(startScript('--port', '0'))).toEqual({ code: 7, output: 'dev,--port,0\n', errors: '' })
})

test('a source that changed since the last start is compiled again, and only then', async () => {
  engine("const text: string = 'first'; console.log(text)")
  expect((await end(startScript())).output).toBe('first\n')
  write('dist/runtime/main.js', "console.log('kept')")
  expect((await end(startScript())).output).toBe('kept\n')
  engine("console.log('second')")
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(checkout, 'runtime/main.ts'), later, later)
  expect((await end(startScript())).output).toBe('second\n')
})

test('an engine that a signal ends gives the exit code that a shell would give', async () => {
  engine(`process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000)`)
  expect(await end(startScript())).toMatchObject({ code: 137 })
})

test('a ^C that arrives twice at once reaches the engine as one', async () => {
  engine(`
    let got = 0
    process.on('SIGINT', () => { got += 1; console.log('interrupted', got) })
    process.on('SIGTERM', () => process.exit(got))
    console.log('ready'); setInterval(() => {}, 1000)`)
  const script = startScript()
  const done = end(script)
  await once(script.stdout, 'data')
  process.kill(-script.pid!, 'SIGINT')
  script.kill('SIGINT')
  await once(script.stdout, 'data')
  script.kill('SIGTERM')
  expect(await done).toEqual({ code: 1, output: 'ready\ninterrupted 1\n', errors: '' })
})

test('the engine ends when the start script is SIGKILLed', async () => {
  engine(`console.log('ready'); setInterval(() => {}, 1000)`)
  const script = startScript()
  await once(script.stdout, 'data')
  script.kill('SIGKILL')
  await eventually('all have ended', () => processesOf(checkout).length === 0)
})

test.each(['SIGTERM', 'SIGKILL'] as const)(
  '%s to npm start ends the engine in order, as SIGTERM does',
  async (signal) => {
    engine(`process.on('SIGTERM', () => { console.log('in order'); process.exit() })
    console.log('ready'); setInterval(() => {}, 1000)`)
    const npm = npmStart()
    const done = end(npm)
    await once(npm.stdout, 'data')
    npm.kill(signal)
    expect((await done).output).toBe('ready\nin order\n')
    await eventually('all have ended', () => processesOf(checkout).length === 0)
  },
)

test('npm start in the background outlives the shell that began it', async () => {
  engine(`process.on('SIGTERM', () => process.exit())
    setInterval(() => console.log(process.ppid), 500)`)
  const shell = run('sh', ['-c', 'nohup npm start --silent &'], { cwd: checkout })
  let lines: string[] = []
  shell.stdout.on('data', (chunk: Buffer) => (lines = [...lines, ...chunk.toString().trim().split('\n')]))
  // start.mjs looks for its parent as often as the engine says something.
  await eventually('the engine goes on', () => shell.exitCode !== null && lines.length > 4)
  process.kill(Number(lines[0]), 'SIGTERM')
  await eventually('all have ended', () => processesOf(checkout).length === 0)
})

test('a failing npm ci is shown, with exit code 1, and nothing is started', async () => {
  engine(`console.log('never')`)
  write('package.json', '{ "dependencies": { "missing": "file:missing" } }')
  write(
    'package-lock.json',
    '{ "lockfileVersion": 3, "packages": { "": {}, "node_modules/other": { "version": "1.0.0" } } }',
  )
  const { code, output, errors } = await end(startScript())
  expect({ code, output }).toEqual({ code: 1, output: '' })
  expect(errors).toMatch(/Installing packages[^]*npm ci failed/)
})

test('a Node that is too old is refused in one line', async () => {
  const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'18.20.4'}})`
  const result = await end(run(process.execPath, ['--import', old, join(checkout, 'bin/start.mjs')]))
  expect(result).toEqual({ code: 1, output: '', errors: 'Node 20.19 or newer is needed, and this is 18.20.4\n' })
})

function write(file: string, text: string): void {
  writeFileSync(join(checkout, file), text)
}

const engine = (code: string) => write('runtime/main.ts', code)
const startScript = (...args: string[]) => run(process.execPath, [join(checkout, 'bin/start.mjs'), ...args])
const npmStart = () => run('npm', ['start', '--silent'], { cwd: checkout })

/** Detached, so that a signal to its process group is what a terminal's ^C is. */
function run(program: string, args: string[], options: { cwd?: string } = {}): Script {
  // Without what npm has told the tests of itself.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')))
  return spawn(program, args, { ...options, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function end(script: Script) {
  let [output, errors] = ['', '']
  script.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  script.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(script, 'close')) as [number | null]
  return { code, output, errors }
}
