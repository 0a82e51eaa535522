import { Badge } from '@mantine/core'

/** What a state means for who looks: whether he has something to do. */
const colours: Readonly<Record<string, string>> = {
  running: 'blue',
  queued: 'gray',
  finished: 'teal',
  failed: 'red',
  cancelled: 'gray',
  cancelling: 'orange',
  open: 'red',
  replayed: 'teal',
  discarded: 'gray',
  replaying: 'blue',
  discarding: 'orange',
  paused: 'orange',
  stopped: 'red',
  waiting: 'gray',
  delayed: 'orange',
  splitting: 'blue',
  forwarded: 'teal',
  split: 'teal',
  done: 'teal',
  trashed: 'red',
  gone: 'gray',
  underWay: 'blue',
  failedAgain: 'red',
  refused: 'orange',
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
    <Badge color={colours[state] ?? 'gray'} variant="light" className="state-badge">
      {words[state] ?? state}
    </Badge>
  )
}
