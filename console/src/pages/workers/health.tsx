import type { Worker, WorkerInstance, WorkerInstanceState } from '../../api/engine.ts'
import { Sign } from '../../parts/show/sign.tsx'
import type { Tone } from '../../parts/show/dot.tsx'

const signs: Readonly<Record<WorkerInstanceState, { tone: Tone; text: string }>> = {
  closed: { tone: 'good', text: 'in use' },
  open: { tone: 'bad', text: 'out of use' },
  probing: { tone: 'warn', text: 'one call is tried' },
  ramping: { tone: 'warn', text: 'used more and more' },
  unusable: { tone: 'bad', text: 'no bridge can use it' },
  unknown: { tone: 'quiet', text: 'not used yet' },
}

export function InstanceSign({ state }: { readonly state: WorkerInstanceState }) {
  const { tone, text } = signs[state]
  return <Sign tone={tone}>{text}</Sign>
}

/** How many of its instances are in use, and the worst of the others. */
export function WorkerSign({ worker: { instances } }: { readonly worker: Worker }) {
  const bad = instances.filter(({ state }) => signs[state].tone === 'bad').length
  const quiet = instances.filter(({ state }) => state === 'unknown').length
  const good = instances.length - bad - quiet
  if (quiet === instances.length) return <Sign tone="quiet">not used yet</Sign>
  const tone = bad === instances.length ? 'bad' : bad > 0 || isOnTheMend(instances) ? 'warn' : 'good'
  return (
    <Sign tone={tone}>
      {good} of {instances.length} in use
    </Sign>
  )
}

function isOnTheMend(instances: readonly WorkerInstance[]): boolean {
  return instances.some(({ state }) => state === 'probing' || state === 'ramping')
}
