import type { RunState as State } from '../../api/engine.ts'
import { Dot } from './dot.tsx'
import type { Tone } from './dot.tsx'

const tones: Readonly<Record<State, Tone>> = { running: 'busy', finished: 'good', failed: 'bad', cancelled: 'quiet' }

/** How a run stands: by colour and by word. */
export function RunState({ state }: { readonly state: State }) {
  return <Dot tone={tones[state]}>{state}</Dot>
}
