import { expect, test } from 'vitest'
import { bridgeFindings, workerFindings } from '../../runtime/commands/doctor/trouble.ts'
import type { Worker } from '../../runtime/commands/doctor/trouble.ts'
import { instancesText } from '../../runtime/commands/terminal/instances.ts'

const none = { worker: null, topology: null, node: null, nodeId: null, reason: 'refused', yielding: false }
const of = (trouble: Partial<typeof none> | Record<string, unknown>) => [
  { id: 'b1', host: 'host-1', trouble: [{ ...none, kind: 'worker', ...trouble }] },
]

test.each([
  [
    'another secret key',
    of({ kind: 'secret-key', reason: 'its key is another one' }),
    'wrong',
    /b1 on host-1: its key/,
  ],
  [
    'a worker that another bridge can call',
    of({ worker: 'w', yielding: true }),
    'wrong',
    /can't call the worker w.*refused/,
  ],
  ['a node', of({ kind: 'node', topology: 't', node: 'a', nodeId: 'x' }), 'warning', /node a of t \(refused\)/],
  ['a node without a name', of({ kind: 'node', nodeId: 'x' }), 'warning', /node x /],
])('doctor names a bridge that is in trouble with %s', (_, bridges, state, text) => {
  expect(bridgeFindings(bridges)).toMatchObject([{ state, text: expect.stringMatching(text) as string }])
})

test('doctor says nothing of bridges without trouble, nor of one that waits as all others do', () => {
  expect(bridgeFindings([{ id: 'old', host: 'h' }, ...of({ worker: 'w' })])).toEqual([])
})

type Instance = Worker['instances'][number]
const at = (state: string, more: Partial<Instance> = {}): Instance => {
  return { url: 'http://w', state, reason: state === 'closed' ? null : 'refused', seenBy: [], ...more }
}
const seen = (state: string) => ({ host: 'host-2', state, reason: 'another key' })

test.each<[string, Instance[], [string, RegExp][]]>([
  ['works', [at('closed')], []],
  ['was never called', [at('unknown')], []],
  ['is down', [at('open')], [['wrong', /w is down at http:\/\/w \(refused\): start it/]]],
  ['is down at one of two', [at('closed'), at('open')], [['warning', /is down at/]]],
  ['no bridge can use', [at('unusable')], [['wrong', /can be used by no bridge \(refused\)/]]],
  ['one bridge can not use', [at('closed', { seenBy: [seen('unusable')] })], [['warning', /host-2 \(another key\)/]]],
  ['one bridge calls more and more', [at('closed', { seenBy: [seen('ramping')] })], []],
])('doctor on a worker that %s', (_, instances, expected) => {
  const findings = workerFindings([{ name: 'w', manifestFaults: [], instances }])
  expect(findings.map(({ state, text }) => [state, text])).toEqual(
    expected.map(([state, text]) => [state, expect.stringMatching(text) as string]),
  )
})

test('a list of workers shows which bridges see an instance otherwise', () => {
  const views = [seen('open'), seen('open'), seen('closed')]
  expect(instancesText([at('closed', { seenBy: views }), at('open')])).toBe('closed (open at host-2), open')
})
