import { expect, test } from 'vitest'
import type { Status } from '../../runtime/client/openapi.d.ts'
import { findingsOf } from '../../console/src/pages/status/findings.ts'

const started = '2026-03-01T10:00:00.000Z'

/** Of an engine that has nothing to mend. */
const well: Status = {
  version: '1',
  nats: {
    ...{ connected: true, detail: null, version: '2', streams: 1, bytes: 0, limitBytes: null },
    ...{ copies: 1, isCluster: false },
  },
  postgres: { connected: true, detail: null },
  bridges: [{ id: 'b', host: 'h', pid: 1, startedAt: started, rssBytes: 1, version: '1', behind: 0, trouble: [] }],
  pausedLimits: [],
  topologies: [],
  totals: null,
}

test('a service that asked to wait is told with the whole time until when, so that it is shown with its day', () => {
  expect(findingsOf(well)).toEqual([])
  const of = { service: 'shop', who: null, topology: null, node: null, nodeId: null }
  const until = '2026-03-02T12:36:05.000Z'
  const paused = { ...of, until, at: started, retryAfterMs: 86_400_000, times: 1 }
  const [found] = findingsOf({ ...well, pausedLimits: [paused] })
  expect(found).toMatchObject({ title: 'shop asked to wait', until })
  expect(found?.detail).toContain('with Retry-After; once')
})
