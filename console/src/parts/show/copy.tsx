import { Button } from '@mantine/core'
import { useClipboard } from '@mantine/hooks'
import { Icon } from '../icons.tsx'

interface CopyProps {
  readonly text: string
  /** For who can't see what stands beside it. */
  readonly what: string
}

/** Copies, and says so; browsers let only pages of https and of loopback do it. */
export function Copy({ text, what }: CopyProps) {
  const { copy, copied, error } = useClipboard({ timeout: 2_000 })
  const word = error ? 'Not allowed here: select it' : copied ? 'Copied' : 'Copy'
  return (
    <Button
      variant="subtle"
      size="compact-xs"
      color="gray"
      leftSection={copied ? <Icon name="check" size={12} /> : null}
      onClick={() => copy(text)}
      aria-label={`${word} ${what}`}
    >
      {word}
    </Button>
  )
}
