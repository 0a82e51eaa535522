import { expect, test } from 'vitest'
import { decideFiring, queuedMax } from '../../runtime/api/actions/firing/decide.ts'
import type { Situation } from '../../runtime/api/actions/firing/decide.ts'

const at = new Date('2026-05-01T06:00:00Z')
const after = (seconds: number): Date => new Date(at.getTime() + seconds * 1000)
const timetable = { cron: '*/10 * * * * *', timezone: 'UTC', anchor: at }
const calm: Situation = {
  ...{ timetable, at, now: after(1), active: true, overlap: 'skip', missed: 'once', busyWith: null, queued: 0 },
}
const busy = { busyWith: 'r1' }

test.each<[string, Partial<Situation>, object]>([
  ['in time', {}, { kind: 'begin', at, missedSince: null, next: after(10) }],
  ['late by a minute', { now: after(60) }, { kind: 'begin', at, missedSince: null, next: after(10) }],
  ['missed', { now: after(65) }, { kind: 'begin', at: after(60), missedSince: at, next: after(70) }],
  ['missed, skip', { now: after(65), missed: 'skip' }, { kind: 'skip', at, runId: null, next: after(70) }],
  ['missed and busy', { now: after(65), ...busy }, { kind: 'skip', at: after(60), runId: 'r1', next: after(70) }],
  ['busy, skip', busy, { kind: 'skip', at, reason: 'the run r1 is still going on', runId: 'r1', next: after(10) }],
  [
    'behind queued ones, skip',
    { queued: 2 },
    { kind: 'skip', reason: '2 runs of the node wait to begin', runId: null },
  ],
  ['busy, allow', { ...busy, overlap: 'allow' }, { kind: 'begin', at }],
  ['busy, queue', { ...busy, overlap: 'queue' }, { kind: 'queue', at, missedSince: null, next: after(10) }],
  ['behind queued ones', { queued: 1, overlap: 'queue' }, { kind: 'queue', at }],
  ['behind too many', { queued: queuedMax, overlap: 'queue' }, { kind: 'skip', at, runId: null }],
  ['disabled', { active: false, now: after(65), ...busy }, { kind: 'pass', next: after(70) }],
])('of a firing that is %s is decided as documented', (_, situation, verdict) => {
  expect(decideFiring({ ...calm, ...situation })).toMatchObject(verdict)
})
