import { expect, test } from 'vitest'
import { weighForInstance, weighForNode } from '../../runtime/call/breaker/weigh.ts'
import type { CallResult } from '../../runtime/call/decide.ts'
import { sampleNode } from '../protocol/samples.ts'
import { problemJson, reply } from './decide-samples.ts'

test.each<[CallResult, string]>([
  [reply(200), 'good'],
  [reply(204), 'good'],
  [reply(400), 'good'],
  [reply(404, problemJson), 'good'],
  [reply(404), 'bad'],
  [reply(408), 'bad'],
  [reply(500), 'bad'],
  [reply(503), 'bad'],
  [reply(503, { 'retry-after': '1' }), 'nothing'],
  [reply(429), 'nothing'],
  [reply(500, { 'sluice-retry': '0' }), 'good'],
  [reply(422, { 'sluice-retry': '1' }), 'bad'],
  [reply(401, { 'sluice-signature': 'refused' }), 'nothing'],
  [reply(410, { 'sluice-retired': '1' }), 'nothing'],
  [{ kind: 'timeout' }, 'bad'],
  [{ kind: 'lost' }, 'bad'],
  [{ kind: 'bad-reply', detail: 'x' }, 'bad'],
  [{ kind: 'too-large' }, 'good'],
  [{ kind: 'refused' }, 'nothing'],
  [{ kind: 'held', detail: '' }, 'nothing'],
])('for the node %j is %s', (result, kind) => {
  expect(weighForNode(result, sampleNode({}))).toMatchObject({ kind })
})

test('a status that the policy of the node does not retry is none of the breaker’s business', () => {
  const { retry } = sampleNode({})
  const node = sampleNode({ retry: { ...retry, on: ['status:502'] } })
  expect([500, 502].map((status) => weighForNode(reply(status), node).kind)).toEqual(['good', 'bad'])
})

test.each<[CallResult, boolean, string]>([
  [reply(200), false, 'good'],
  [reply(500), false, 'good'],
  [reply(503), false, 'good'],
  [{ kind: 'too-large' }, false, 'good'],
  [{ kind: 'lost' }, true, 'bad'],
  [{ kind: 'bad-reply', detail: 'x' }, true, 'bad'],
  [{ kind: 'timeout' }, false, 'bad'],
  [{ kind: 'timeout' }, true, 'nothing'],
  [{ kind: 'refused' }, false, 'refused'],
])('for the instance %j is, if it answered others meanwhile (%s), %s', (result, hasAnswered, kind) => {
  expect(weighForInstance(result, hasAnswered)).toMatchObject({ kind })
})
