import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { textOf, Unavailable } from '../../runtime/errors.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { FakeWorker } from '../support/fake-worker.ts'
import { startOwnNats } from '../support/own-nats.ts'
import { subjectsOf } from '../queue/compact.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-full-'))
  closing.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

/** start → a → b at a worker that is slower than the starts, on a NATS of its own. */
async function flowOn(natsUrl: string): Promise<{ engine: TestEngine; worker: FakeWorker }> {
  const worker = await fakeWorker((request) => ({ body: request.body, afterMs: 20 }))
  closing.push(() => worker.close())
  const nodes = [
    { name: 'a', prefetch: 3 },
    { name: 'b', prefetch: 3 },
  ]
  const engine = await eventually('NATS serves', () => startEngine(nodes, undefined, undefined, natsUrl))
  closing.push(() => engine.close())
  await engine.setWorker(worker.url)
  await engine.openBridge()
  return { engine, worker }
}

/** Starts runs until one is refused; resolves with those that were accepted, and why the next one wasn't. */
async function fill(engine: TestEngine): Promise<{ accepted: string[]; why: string }> {
  const accepted: string[] = []
  for (;;) {
    try {
      accepted.push(await engine.start(`"${String(accepted.length).padStart(500_000)}"`))
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error
      return { accepted, why: textOf(error) }
    }
  }
}

/** Everything accepted arrives; nobody's input is stored twice. A call whose answer couldn't be stored may be repeated. */
async function expectAllOnce(engine: TestEngine, worker: FakeWorker, accepted: readonly string[]): Promise<void> {
  await eventually('NATS serves again', () => subjectsOf(engine, '>'))
  const outcomes = await engine.outcomesUntil(
    (all) => isDrained(all) && all.filter(({ kind }) => kind === 'ended').length >= accepted.length,
  )
  const ended = outcomes.filter(({ kind }) => kind === 'ended').map(({ run }) => run)
  expect(new Set(ended)).toEqual(new Set(accepted))
  expect(ended).toHaveLength(accepted.length)
  expect(await subjectsOf(engine, `*.node.${engine.id('b')}.>`)).toHaveLength(accepted.length)
  expect(worker.seen.length).toBeLessThanOrEqual(2 * accepted.length + 6)
}

test('with the storage of NATS used up nothing is lost, and all goes on when it gets more', async () => {
  const nats = await startOwnNats(folder(), '80MB')
  closing.push(() => nats.close())
  const { engine, worker } = await flowOn(nats.url)
  const { accepted, why } = await fill(engine)
  expect(why).toMatch(/insufficient .*its storage is full/)
  expect(accepted.length).toBeGreaterThan(10)
  await nats.restart({ maxFileStore: '1GB' })
  await expectAllOnce(engine, worker, accepted)
  const [run] = [await eventually('starts are accepted', () => engine.start('1'))]
  await engine.outcomesUntil((all) => all.some((outcome) => outcome.kind === 'ended' && outcome.run === run))
}, 120_000)

/** A file system of that size, if this machine lets us have one. */
function tinyDisk(size: string): string | null {
  const at = folder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', at], { stdio: 'ignore' })
  } catch {
    return null
  }
  closing.push(() => execFileSync('umount', [at]))
  return at
}

test('with the disk of NATS full nothing is lost, and all goes on when there is space and NATS is started again', async (context) => {
  const disk = tinyDisk('24m')
  if (disk === null) return context.skip('needs the right to mount a file system')
  const nats = await startOwnNats(disk, '1GB')
  closing.push(() => nats.close())
  const { engine, worker } = await flowOn(nats.url)
  const { accepted, why } = await fill(engine)
  expect(why).toMatch(/no answer/)
  execFileSync('mount', ['-o', 'remount,size=256m', disk])
  await nats.restart()
  await expectAllOnce(engine, worker, accepted)
}, 120_000)
