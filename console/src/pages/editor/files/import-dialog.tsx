import { Alert, Button, FileButton, Group, Loader, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { RefObject } from 'react'
import type { Topology } from '../../../api/engine.ts'
import { Foot } from '../../../parts/form/foot.tsx'
import { Icon } from '../../../parts/icons.tsx'
import { openNewest } from '../../../parts/newest.ts'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { useAgain } from '../../topology/actions/use-deed.ts'
import classes from './files.module.css'
import { Found } from './found.tsx'
import { preview, take } from './preview.ts'
import type { Taking } from './preview.ts'
import { tooLarge } from './read.ts'

interface ImportDialogProps {
  readonly topology: Pick<Topology, 'id' | 'name'>
  /** Something is drawn that isn't stored, and is replaced, too. */
  readonly isUnsaved?: boolean
  readonly close: () => void
  /** The draft is another one now. */
  readonly done?: () => void
}

const typingMs = 300

/** Replaces the draft by a document from elsewhere, after it was shown what that changes. */
export function ImportDialog({ topology, isUnsaved = false, close, done }: ImportDialogProps) {
  const { id, name } = topology
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text, typingMs)
  const found = useQuery({
    queryKey: ['importing', id, asked],
    queryFn: () => preview(id, asked),
    gcTime: 0,
    staleTime: Infinity,
  })
  const field = useRef<HTMLTextAreaElement>(null)
  const again = useAgain()
  const replace = useMutation({
    mutationFn: (taking: Taking) => take(id, taking),
    onSuccess: async () => {
      told(`The draft of ${name} is replaced`)
      close()
      done?.()
      await again()
    },
  })
  const isBusy = found.isFetching || asked !== text
  const taking = !isBusy && found.data && 'checked' in found.data && found.data.checked.changes ? found.data : null
  return (
    <Modal opened onClose={close} title={`Import into ${name}`} size="xl">
      <Stack gap="sm">
        {isUnsaved && <Unsaved />}
        <Source field={field} text={text} set={setText} />
        {isBusy ? (
          <Loader size="xs" aria-label="Looking at it" />
        ) : found.error !== null ? (
          <Problem error={found.error} again={() => void found.refetch()} />
        ) : (
          found.data && <Found found={found.data} goTo={(line) => showLine(field, line)} />
        )}
        {replace.error !== null && (
          <Problem
            error={replace.error}
            again={() => {
              replace.reset()
              void found.refetch()
            }}
          />
        )}
        <Foot>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            disabled={taking === null}
            loading={replace.isPending}
            onClick={() => taking !== null && replace.mutate(taking)}
          >
            Replace the draft
          </Button>
        </Foot>
      </Stack>
    </Modal>
  )
}

function Unsaved() {
  return (
    <Alert color="yellow" variant="light" icon={<Icon name="warning" />} title="What you have drawn isn’t saved">
      It is replaced with the draft; undo brings it back. The changes below are to the draft as it is stored.
    </Alert>
  )
}

interface SourceProps {
  readonly field: RefObject<HTMLTextAreaElement | null>
  readonly text: string
  readonly set: (text: string) => void
}

/** A file, chosen or dropped, or what is pasted. */
function Source({ field, text, set }: SourceProps) {
  const [refused, refuse] = useState<string | null>(null)
  const [newest] = useState(openNewest)
  const reset = useRef<() => void>(null)
  const open = async (file: File | null): Promise<void> => {
    // Otherwise the same file, mended on disk, could not be chosen again.
    reset.current?.()
    if (file === null) return
    newest.drop()
    const reason = tooLarge(file.size)
    refuse(reason === null ? null : `${file.name}: ${reason}`)
    if (reason !== null) return
    try {
      const read = await newest(file.text())
      if (read !== null) set(read.value)
    } catch {
      refuse(`${file.name}: it can’t be read`)
    }
  }
  return (
    <Stack gap="xs">
      <Group gap="xs">
        <FileButton resetRef={reset} onChange={(file) => void open(file)} accept=".yaml,.yml,.json,.bpmn,.xml">
          {(props) => (
            <Button variant="default" {...props}>
              Choose a file
            </Button>
          )}
        </FileButton>
        <Text size="xs" c="dimmed">
          or drop it below, or paste its text
        </Text>
      </Group>
      {refused !== null && (
        <Alert color="red" variant="light" icon={<Icon name="warning" />} role="alert">
          {refused}
        </Alert>
      )}
      <Textarea
        ref={field}
        label="Document"
        description="YAML or JSON, or a document of the older editors: BPMN, or the flow editor’s JSON"
        rows={12}
        wrap="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          newest.drop()
          set(event.currentTarget.value)
        }}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          const [file] = event.dataTransfer.files
          if (file === undefined) return
          event.preventDefault()
          void open(file)
        }}
        classNames={{ input: classes.text }}
        data-autofocus
      />
    </Stack>
  )
}

/** Selects a line of the text, and brings it into sight. */
function showLine({ current: field }: RefObject<HTMLTextAreaElement | null>, line: number): void {
  if (field === null) return
  const before = field.value.split('\n').slice(0, line - 1)
  const start = before.reduce((sum, one) => sum + one.length + 1, 0)
  const end = field.value.indexOf('\n', start)
  field.focus()
  field.setSelectionRange(start, end === -1 ? field.value.length : end)
  const height = Number.parseFloat(getComputedStyle(field).lineHeight)
  field.scrollTop = Math.max(0, (line - 4) * height)
}
