import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { numbersWorker, openControl, sendLines } from './control.ts'

test('an upload during which control is SIGKILLed again and again is resumed by its key, and each record arrives exactly once', async () => {
  const count = 20_000
  const { worker, seen } = await numbersWorker()
  const control = await openControl(worker.url, true)
  let kills = 0
  const killAt = [3_000, 6_500, 7_000, 13_000, 19_900]
  const onPiece = (sent: number): Promise<unknown> | undefined => {
    const at = killAt[kills]
    if (at === undefined || sent < at) return undefined
    kills++
    return control.kill()
  }
  const taken = await eventually('all of it is sent', () => sendLines(control, count, 'k', onPiece), {
    timeoutMs: 300_000,
  })
  expect(taken).toMatchObject({ records: count, trashed: 0 })
  const run = await eventually(
    'the run has ended',
    async () => {
      const run = await control.call('GET', `/api/runs/${taken.runId as string}`)
      return run.state !== 'running' && run
    },
    { timeoutMs: 300_000 },
  )
  expect(kills).toBe(killAt.length)
  expect(run).toMatchObject({ state: 'finished', messages: { total: count, done: count } })
  expect(seen.size).toBe(count)
  expect([...seen.values()].filter((ids) => ids.size !== 1)).toEqual([])
}, 600_000)

function rssMiB(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

test('an upload of millions of records takes hardly more memory at its end than at a fifth of it', async () => {
  const count = Number(process.env.SLUICE_PROOF_RECORDS ?? 2_000_000)
  const control = await openControl('http://127.0.0.1:1', false)
  let early = 0
  const begun = performance.now()
  await sendLines(control, count, 'k', (sent) => {
    if (early === 0 && sent >= count / 5) early = rssMiB(control.role().pid)
    return undefined
  })
  const seconds = (performance.now() - begun) / 1_000
  const late = rssMiB(control.role().pid)
  console.log(JSON.stringify({ count, recordsPerSecond: Math.round(count / seconds), earlyMiB: early, lateMiB: late }))
  // All of it takes seconds: the process is hardly warm at a fifth.
  expect(late).toBeLessThan(early * 1.2)
}, 600_000)
