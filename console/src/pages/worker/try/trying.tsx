import { Group, Paper, SegmentedControl, Select, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Node, TryRequest } from '../../../api/engine.ts'
import { useWhyNot } from '../../../api/session.ts'
import { ActButton } from '../../../parts/act-button.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { Answer } from './answer.tsx'
import { PeekedMessages, TrashedMessages } from './captured.tsx'
import { OwnMessage } from './own-message.tsx'
import { emptyDraft, requestOf } from './request.ts'
import type { CallDraft, Captured } from './request.ts'

type Source = 'own' | 'queue' | 'trash'
type Form = 'published' | 'draft'

/** All of what is answered is shown, up to this. */
const shownBytes = 1_048_576

/** Calls a node once with a message of one's own or a captured one, and shows all of what became of it. */
export function Trying({ node }: { readonly node: Node }) {
  const [source, setSource] = useState<Source>('own')
  const [draft, setDraft] = useState<CallDraft>(emptyDraft)
  const [captured, setCaptured] = useState<Captured | null>(null)
  const [of, setOf] = useState<Form | null>(null)
  const call = useCall(node.id, of)
  const built = requestOf(draft)
  const request = source === 'own' ? built.request : captured
  const whyNot = useWhyNotCall(request, source)
  const choose = (value: string): void => {
    setSource(value === 'queue' || value === 'trash' ? value : 'own')
    setCaptured(null)
  }
  return (
    <Paper withBorder p="sm">
      <Stack gap="sm">
        <SegmentedControl
          size="xs"
          aria-label="Which message"
          value={source}
          onChange={choose}
          style={{ alignSelf: 'flex-start' }}
          data={[
            { value: 'own', label: 'My own' },
            { value: 'queue', label: 'From its queue' },
            { value: 'trash', label: 'From Trash' },
          ]}
        />
        {source === 'own' && (
          <OwnMessage
            isBatch={node.type === 'batch'}
            draft={draft}
            change={setDraft}
            fault={built.fault}
            error={call.error}
          />
        )}
        {source === 'queue' && <PeekedMessages nodeId={node.id} chosen={captured} choose={setCaptured} />}
        {source === 'trash' && <TrashedMessages nodeId={node.id} chosen={captured} choose={setCaptured} />}
        <Group gap="xs" align="flex-end">
          <FormOfNode node={node} of={of} change={setOf} />
          <ActButton
            needs="operate"
            whyNot={whyNot}
            loading={call.isPending}
            onClick={() => request !== null && call.mutate(request)}
          >
            Call it once
          </ActButton>
        </Group>
        <Text size="xs" c="dimmed">
          The worker is really called, once, with the header <code>sluice-try: 1</code>. Nothing is forwarded, and
          nothing becomes of a captured message.
        </Text>
        {call.error !== null && <Problem error={call.error} shownElsewhere={source === 'own' ? ownFields : []} />}
        {call.data && <Answer trial={call.data} />}
      </Stack>
    </Paper>
  )
}

const ownFields = ['body', 'bodyBase64', 'headers', 'contentType', 'tenant', 'key', 'cursor', 'watermark', 'page']

function useWhyNotCall(request: TryRequest | null, source: Source): string | null {
  const lacking = useWhyNot('payload')
  if (lacking !== null) return lacking
  if (request !== null) return null
  return source === 'own' ? 'Mend what is marked above first' : 'Choose a message above first'
}

function useCall(id: string, of: Form | null) {
  return useMutation({
    mutationFn: (body: TryRequest) => {
      const query = { bytes: shownBytes, ...(of !== null && { of }) }
      return dataOf(engine.POST('/api/nodes/{id}/try', { params: { path: { id }, query }, body }))
    },
  })
}

interface FormOfNodeProps {
  readonly node: Node
  readonly of: Form | null
  readonly change: (of: Form | null) => void
}

function FormOfNode({ node, of, change }: FormOfNodeProps) {
  if (node.published === null) return null
  return (
    <Select
      label="As it is"
      w={150}
      data={[
        { value: 'published', label: 'published' },
        { value: 'draft', label: 'in the draft' },
      ]}
      value={of ?? 'published'}
      onChange={(value) => change(value === 'draft' ? 'draft' : null)}
      allowDeselect={false}
    />
  )
}
