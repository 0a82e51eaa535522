import { expect, test } from 'vitest'
import { openGates } from '../../runtime/bridge/gate.ts'
import { eventually } from '../support/eventually.ts'
import { withoutBridge } from './flow.ts'

test('who gives up waiting at a closed gate is not woken, and those who stay are', async () => {
  const gates = openGates()
  const gate = gates.of('t', 'n')
  gates.pauseNode('n', true)
  const giving = new AbortController()
  const gone = gate.pass(giving.signal)
  const stays = gate.pass(new AbortController().signal)
  giving.abort()
  await expect(gone).rejects.toThrow('stops')
  gates.pauseNode('n', false)
  await expect(stays).resolves.toBeUndefined()
})

test('a gate that was forgotten is there again with what is paused', () => {
  const gates = openGates()
  gates.of('t', 'n')
  gates.pauseNode('n', true)
  gates.forget('n')
  expect(gates.of('t', 'n').open).toBe(false)
})

test('the open breaker of a node that is gone is no longer in heartbeats', async () => {
  const { engine } = await withoutBridge([{ name: 'a', prefetch: 20 }], () => ({ status: 500 }))
  await engine.openBridge()
  for (let n = 0; n < 20; n++) await engine.start(String(n))
  const { control } = engine.queues
  const isOpen = async () => (await control.bridges()).some(({ nodes }) => nodes.length > 0)
  await eventually('the breaker is open', isOpen)
  await control.stopPlan(engine.plan.topologyId)
  await eventually('it is told of no more', async () => !(await isOpen()))
})
