import { Text } from '@mantine/core'

/** Something that isn’t there, and why; no fault of anybody. */
export function Quiet({ text }: { readonly text: string }) {
  return (
    <Text size="sm" c="dimmed">
      {text.charAt(0).toUpperCase() + text.slice(1)}
    </Text>
  )
}
