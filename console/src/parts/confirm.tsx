import { Button, Group, List, Modal, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { ReactNode } from 'react'
import { counted } from './show/format.ts'
import type { Race } from './form/pinned.tsx'
import { Refused } from './form/refused.tsx'

interface Touched {
  /** Null: it isn't known. */
  readonly count: number | null
  /** `message`; with an s for several unless `many` is given. */
  readonly one: string
  readonly many?: string
  /** What becomes of them. */
  readonly becomes: string
}

interface ConfirmProps {
  readonly title: string
  /** The word on the button. */
  readonly verb: string
  /** What it will touch, and how many. */
  readonly touches?: readonly Touched[]
  readonly children?: ReactNode
  /** Can't be taken back. */
  readonly danger?: boolean
  /** When it goes by what is shown here, and is refused when that is another meanwhile. */
  readonly race?: Race | null
  /** What it touches is still being read. */
  readonly isReading?: boolean
  /** What was refused is shown here; otherwise it closes. */
  readonly act: () => Promise<unknown>
  readonly close: () => void
}

/** Asks before something that can't be taken back, or that touches much. */
export function Confirm({
  title,
  verb,
  touches = [],
  children,
  danger = false,
  race = null,
  isReading = false,
  act,
  close,
}: ConfirmProps) {
  const [isActing, setActing] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const go = async (): Promise<void> => {
    setActing(true)
    try {
      await act()
      close()
    } catch (thrown) {
      setError(thrown)
    } finally {
      setActing(false)
    }
  }
  return (
    <Modal opened onClose={close} title={title}>
      <Stack gap="sm">
        {children !== undefined && (
          <Text component="div" size="sm">
            {children}
          </Text>
        )}
        {touches.length > 0 && (
          <List size="sm">
            {touches.map(({ count, one, many, becomes }) => (
              <List.Item key={becomes}>
                <b>{count === null ? (many ?? `${one}s`) : counted(count, one, many)}</b>
                {count === null && ', how many is not known yet,'} {becomes}
              </List.Item>
            ))}
          </List>
        )}
        {error !== null && <Refused error={error} race={race} isForm={false} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus={danger || undefined}>
            Cancel
          </Button>
          <Button
            color={danger ? 'red' : ''}
            disabled={isReading}
            loading={isActing}
            onClick={() => void go()}
            data-autofocus={!danger || undefined}
          >
            {verb}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
