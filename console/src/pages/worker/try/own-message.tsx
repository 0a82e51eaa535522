import { Group, Stack, Textarea, TextInput } from '@mantine/core'
import { faultAt } from '../../../api/problem.ts'
import type { CallDraft } from './request.ts'

interface OwnMessageProps {
  /** It reads pages. */
  readonly isBatch: boolean
  readonly draft: CallDraft
  readonly change: (draft: CallDraft) => void
  readonly fault: { readonly field: 'body' | 'headers'; readonly message: string } | null
  readonly error: unknown
}

const always = [
  { name: 'contentType', label: 'Content type' },
  { name: 'tenant', label: 'Tenant' },
  { name: 'key', label: 'Ordering key' },
] as const
const ofBatches = [
  { name: 'cursor', label: 'Cursor' },
  { name: 'watermark', label: 'Watermark' },
  { name: 'page', label: 'Page' },
] as const

/** A message as it is typed. */
export function OwnMessage({ isBatch, draft, change, fault, error }: OwnMessageProps) {
  const faultOf = (field: 'body' | 'headers'): string | null =>
    fault?.field === field ? fault.message : faultAt(error, field)
  const rows = [always, ...(isBatch ? [ofBatches] : [])]
  return (
    <Stack gap="xs">
      {rows.map((row) => (
        <Group key={row[0].name} gap="xs" align="flex-start">
          {row.map(({ name, label }) => (
            <TextInput
              key={name}
              label={label}
              w={180}
              value={draft[name]}
              onChange={(event) => change({ ...draft, [name]: event.currentTarget.value })}
              error={faultAt(error, name)}
            />
          ))}
        </Group>
      ))}
      <Textarea
        label="Body"
        autosize
        minRows={5}
        maxRows={20}
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        value={draft.body}
        onChange={(event) => change({ ...draft, body: event.currentTarget.value })}
        error={faultOf('body') ?? faultAt(error, 'bodyBase64')}
      />
      <Textarea
        label="Headers"
        description="Each on a line; only those that begin with x- travel with a message"
        autosize
        minRows={1}
        maxRows={8}
        spellCheck={false}
        placeholder="x-source: import"
        value={draft.headers}
        onChange={(event) => change({ ...draft, headers: event.currentTarget.value })}
        error={faultOf('headers')}
      />
    </Stack>
  )
}
