import type { CursorState } from '../../api/engine.ts'
import { Sign } from '../../parts/show/sign.tsx'
import type { Tone } from '../../parts/show/dot.tsx'

const signs: Readonly<Record<CursorState, { tone: Tone; text: string }>> = {
  reading: { tone: 'good', text: 'Reading' },
  stopped: { tone: 'bad', text: 'Stopped: its page is in Trash' },
  ended: { tone: 'quiet', text: 'Ended' },
  abandoned: { tone: 'quiet', text: 'Abandoned' },
}

export function CursorSign({ state }: { readonly state: CursorState }) {
  const { tone, text } = signs[state]
  return <Sign tone={tone}>{text}</Sign>
}
