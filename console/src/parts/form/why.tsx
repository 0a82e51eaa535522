import { TextInput } from '@mantine/core'

interface WhyProps {
  readonly reason: string
  readonly set: (reason: string) => void
  readonly error?: string | null
}

/** Why somebody changes something, for those who come after. */
export function Why({ reason, set, error = null }: WhyProps) {
  return (
    <TextInput
      label="Why"
      description="For the history; may be left out"
      value={reason}
      onChange={(event) => set(event.currentTarget.value)}
      error={error}
    />
  )
}

/** As the API takes it: left out when nothing was said. */
export function reasonOf(text: string): { reason?: string } {
  const reason = text.trim()
  return reason === '' ? {} : { reason }
}
