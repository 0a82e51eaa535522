import { expect, test } from 'vitest'
import type { CallResult } from '../../runtime/call/decide.ts'
import { NodeMeter } from '../../runtime/bridge/look/meters.ts'
import { lookAt } from '../../runtime/bridge/look/look.ts'

const reply = (status: number) => ({ kind: 'reply' as const, status, headers: {}, body: new Uint8Array() })
const labels = { topology: 't', node: 'n', worker: 'w' }

function called(meter: NodeMeter, ...results: readonly CallResult[]): void {
  for (const result of results) meter.called({ result, durationMs: 1 } as Parameters<NodeMeter['called']>[0])
}

test('of the calls of the last minute those are told that were too much: too late, 429 and 503, of what was sent', () => {
  const meter = new NodeMeter('t', 'n', labels)
  called(meter, reply(200), reply(422), reply(500), reply(429), reply(503), { kind: 'timeout' }, { kind: 'lost' })
  called(meter, { kind: 'refused' }, { kind: 'held', detail: '' }, { kind: 'put-off', delayMs: 1 })
  expect(meter.recentCalls()).toEqual({ made: 7, overloaded: 3 })
  const tick = (seconds: number): void => {
    for (let n = 0; n < seconds; n++) meter.tick(n * 1_000)
  }
  tick(50)
  called(meter, reply(503))
  expect(meter.recentCalls()).toEqual({ made: 8, overloaded: 4 })
  tick(20)
  expect(meter.recentCalls()).toEqual({ made: 1, overloaded: 1 })
  tick(60)
  expect(meter.recentCalls()).toEqual({ made: 0, overloaded: 0 })
})

test('a bridge tells calls of the one node that it was asked for, also when it settled nothing', () => {
  const meter = new NodeMeter('t', 'n', labels)
  called(meter, reply(503))
  const seen = { bridge: 'b', highWater: 1, queues: [], meters: { all: () => [meter] }, limits: () => [] }
  const asked = lookAt(seen, { topologyId: 't', nodeId: 'n' }).nodes
  expect(asked).toMatchObject([{ nodeId: 'n', settledPerSecond: 0, calls: { made: 1, overloaded: 1 } }])
  expect(lookAt(seen, { topologyId: 't', nodeId: null }).nodes).toEqual([])
})
