import { Button, Group, Modal, Select, Stack, TextInput, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Node, Topology } from '../../../api/engine.ts'
import { faultAt } from '../../../api/problem.ts'
import { PageLink } from '../../../parts/page-link.tsx'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { bodyFaultOf, keyFaultOf } from './given.ts'
import type { Given } from './given.ts'
import { startRun } from './start-run.ts'

interface RunDialogProps {
  readonly topology: Topology
  readonly nodes: readonly Node[]
  readonly close: () => void
}

/** What the key is called where there is a body. */
const ofHeader = 'idempotency-key'

/** Starts a run: where, and with what. */
export function RunDialog({ topology, nodes, close }: RunDialogProps) {
  const entries = nodes.filter(({ prefetch, leaving }) => prefetch === null && leaving === null)
  const [typed, setTyped] = useState<Given>({ node: null, body: '', tenant: '', key: '' })
  // Nodes may come after the dialog was opened.
  const given = { ...typed, node: typed.node ?? entries[0]?.name ?? null }
  const bodyFault = bodyFaultOf(given)
  const keyFault = keyFaultOf(given)
  const run = useMutation({
    mutationFn: () => startRun(topology.id, given),
    onSuccess: ({ runId }) => {
      told(
        <>
          Run {runId} was started: <PageLink to={`/runs/${runId}`}>see how it goes</PageLink>
        </>,
      )
      close()
    },
  })
  return (
    <Modal opened onClose={close} title={`Run ${topology.name}`} size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (bodyFault === null && keyFault === null) run.mutate()
        }}
      >
        <Stack gap="sm">
          <Fields
            given={given}
            set={(changed) => setTyped({ ...given, ...changed })}
            entries={entries.map(({ name }) => name)}
            {...{ bodyFault, keyFault }}
            error={run.error}
          />
          {run.error !== null && <Problem error={run.error} shownElsewhere={[...Object.keys(given), ofHeader]} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={run.isPending}>
              Start the run
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

interface FieldsProps {
  readonly given: Given
  readonly set: (changed: Partial<Given>) => void
  readonly entries: readonly string[]
  readonly bodyFault: string | null
  readonly keyFault: string | null
  readonly error: unknown
}

function Fields({ given, set, entries, bodyFault, keyFault, error }: FieldsProps) {
  return (
    <>
      {entries.length > 1 && (
        <Select
          label="Begin at"
          data={entries}
          value={given.node}
          onChange={(node) => set({ node })}
          allowDeselect={false}
          error={faultAt(error, 'node')}
        />
      )}
      <Textarea
        label="Body"
        description="JSON, sent as it stands here; empty for a start without one"
        size="xs"
        autosize
        minRows={5}
        maxRows={18}
        value={given.body}
        onChange={(event) => set({ body: event.currentTarget.value })}
        error={bodyFault ?? faultAt(error, 'body')}
        spellCheck={false}
        data-autofocus
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
      <Group grow align="start">
        <TextInput
          label="Tenant"
          description="On whose behalf"
          value={given.tenant}
          onChange={(event) => set({ tenant: event.currentTarget.value })}
          error={faultAt(error, 'tenant')}
        />
        <TextInput
          label="Key"
          description="The same key starts the same run only once"
          value={given.key}
          onChange={(event) => set({ key: event.currentTarget.value })}
          error={keyFault ?? faultAt(error, 'key') ?? faultAt(error, ofHeader)}
        />
      </Group>
    </>
  )
}
