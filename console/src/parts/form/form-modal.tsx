import { Button, Group, Modal, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import { shownOf } from '../../api/problem.ts'
import type { Race } from './pinned.tsx'
import { Refused } from './refused.tsx'

interface FormModalProps {
  readonly title: string
  /** The word on the button. */
  readonly verb: string
  readonly isBusy: boolean
  /** Of the last try; null: none. */
  readonly error: unknown
  /** Begins of paths whose faults stand at their fields. */
  readonly fields: readonly string[]
  readonly submit: () => void
  readonly close: () => void
  readonly wide?: boolean
  /** Of what is changed; null, as by default: it is made. */
  readonly race?: Race | null
  readonly children: ReactNode
}

/** A form in a window: Enter sends it, Escape leaves it, and what is refused stands at the fields. */
export function FormModal({
  title,
  verb,
  isBusy,
  error,
  fields,
  submit,
  close,
  wide = false,
  race = null,
  children,
}: FormModalProps) {
  const atFields = shownOf(error)
    .errors.map(({ path }) => path)
    .filter((path) =>
      fields.some((field) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`)),
    )
  return (
    <Modal opened onClose={close} title={title} size={wide ? 'lg' : 'md'}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <Stack gap="sm">
          {children}
          {error !== null && <Refused error={error} race={race} shownElsewhere={atFields} isForm />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={isBusy}>
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
