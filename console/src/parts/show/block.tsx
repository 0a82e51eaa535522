import { Group, Stack, Text } from '@mantine/core'
import { Copy } from './copy.tsx'
import classes from './show.module.css'

interface BlockProps {
  readonly title: string
  /** Text as it is; all else as JSON. */
  readonly value: unknown
  /** Beside the title. */
  readonly note?: string | null
}

/** A piece of text or JSON in full, to read and to copy. */
export function Block({ title, value, note = null }: BlockProps) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2)
  return (
    <Stack gap={4}>
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed">
          {title}
          {note !== null && ` · ${note}`}
        </Text>
        <Copy text={text} what={title.toLowerCase()} />
      </Group>
      {/* It scrolls, so the keyboard has to reach it. */}
      <pre className={classes.block} tabIndex={0} aria-label={title}>
        {text === '' ? '(empty)' : text}
      </pre>
    </Stack>
  )
}
