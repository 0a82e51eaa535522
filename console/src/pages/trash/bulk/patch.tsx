import { Select, Stack, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useMemo, useState } from 'react'
import type { BulkPatch } from '../../../api/engine.ts'
import { shownOf } from '../../../api/problem.ts'
import { readPatch } from './read-patch.ts'
import type { Kind } from './read-patch.ts'

export interface PatchDraft {
  readonly kind: Kind
  readonly setKind: (kind: Kind) => void
  readonly text: string
  readonly setText: (text: string) => void
  /** Null: bodies stay as they are, or what is typed is no patch yet. */
  readonly value: BulkPatch | null
  /** The same when one has stopped typing. */
  readonly settled: BulkPatch | null
  readonly fault: string | null
}

const typingMs = 400

export function usePatch(): PatchDraft {
  const [kind, setKind] = useState<Kind>('none')
  const [text, setText] = useState('')
  const { value, fault } = useMemo(() => readPatch(kind, text), [kind, text])
  const [settled] = useDebouncedValue(value, typingMs)
  return { kind, setKind, text, setText, value, settled, fault }
}

const examples: Readonly<Record<Kind, string>> = {
  none: '',
  'merge-patch': '{ "country": "DE" }',
  'json-patch': '[{ "op": "replace", "path": "/country", "value": "DE" }]',
}

const says: Readonly<Record<Kind, string>> = {
  none: '',
  'merge-patch': 'Fields that are set; null takes one away (RFC 7396).',
  'json-patch': 'Operations add, remove, replace, move, copy and test (RFC 6902).',
}

interface PatchFieldProps {
  readonly patch: PatchDraft
  readonly error: unknown
}

/** The same change for all bodies. */
export function PatchField({ patch, error }: PatchFieldProps) {
  const { kind, text, fault } = patch
  const refused = shownOf(error).errors.find(({ path }) => path.startsWith('patch'))
  return (
    <Stack gap={6}>
      <Select
        label="Before they are sent"
        data={[
          { value: 'none', label: 'leave them as they are' },
          { value: 'merge-patch', label: 'set fields of their bodies (merge patch)' },
          { value: 'json-patch', label: 'change their bodies by a JSON Patch' },
        ]}
        value={kind}
        onChange={(value) => patch.setKind(value as Kind)}
        allowDeselect={false}
        maw={340}
      />
      {kind !== 'none' && (
        <Textarea
          label="Patch"
          description={says[kind]}
          placeholder={examples[kind]}
          value={text}
          onChange={(event) => patch.setText(event.currentTarget.value)}
          error={(text !== '' && fault) || (error !== null && refused && `${refused.path}: ${refused.message}`)}
          autosize
          minRows={3}
          maxRows={12}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
      )}
    </Stack>
  )
}
