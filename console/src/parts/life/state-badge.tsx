import { Text } from '@mantine/core'
import { Dot } from '../show/dot.tsx'
import type { Tone } from '../show/dot.tsx'

/** What a state means for who looks: whether he has something to do. */
const tones: Readonly<Record<string, Tone>> = {
  running: 'busy',
  finished: 'good',
  failed: 'bad',
  cancelling: 'warn',
  open: 'bad',
  replayed: 'good',
  replaying: 'busy',
  discarding: 'warn',
  paused: 'warn',
  stopped: 'bad',
  delayed: 'warn',
  splitting: 'busy',
  forwarded: 'good',
  split: 'good',
  done: 'good',
  trashed: 'bad',
  underWay: 'busy',
  failedAgain: 'bad',
  refused: 'warn',
}

const words: Readonly<Record<string, string>> = {
  underWay: 'under way',
  failedAgain: 'failed again',
  trashed: 'in Trash',
  forwarded: 'went on',
}

/** A state in a word and a colour; the word alone says it. */
export function StateBadge({ state }: { readonly state: string }) {
  return (
    <Text span size="sm">
      <Dot tone={tones[state] ?? 'quiet'}>{words[state] ?? state}</Dot>
    </Text>
  )
}
