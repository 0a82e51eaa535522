import { expect, test } from 'vitest'
import type { Look } from '../../runtime/commands/dev/display.ts'
import { lineOf } from '../../runtime/commands/dev/display.ts'

type Messages = Look['run']['messages']

const none: Messages = { total: 0, done: 0, failed: 0, discarded: 0, cancelled: 0, inProgress: 0 }

function lookAt(messages: Partial<Messages>, pending: number, delayed = 0): Look {
  const times = { startedAt: '2026-01-01T00:00:00.000Z', finishedAt: null }
  return {
    atMs: 0,
    run: { id: 'r', topology: 'cities', state: 'running', ...times, messages: { ...none, ...messages } },
    queues: [{ node: 'enrich', pending, inFlight: 2, replies: 0, delayed }],
  }
}

test('messages that come into their queue again later are said to wait', () => {
  const line = lineOf([lookAt({ total: 1_200, done: 100, inProgress: 1_100 }, 98, 1_000)], 1_200)
  expect(line).toMatch(/^read 1 200 of 1 200, stored 100, in Trash 0, 1 000 waiting to be tried again; /)
})

test('messages that have left their queue and are not counted yet wait for nothing', () => {
  const line = lineOf([lookAt({ total: 1_200, done: 100, inProgress: 1_100 }, 998)], 1_200)
  expect(line).toMatch(/^read 1 200 of 1 200, stored 100, in Trash 0; /)
})

test('a run whose counts are behind its queues has nothing waiting, and has read what is queued', () => {
  const line = lineOf([lookAt({ total: 1, inProgress: 1 }, 2_444)], 135_233)
  expect(line).toMatch(/^read 2 446 of 135 233, stored 0, in Trash 0; /)
})
