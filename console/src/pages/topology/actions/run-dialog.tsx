import { Button, Group, JsonInput, Modal, Select, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Node, RunRequest, Topology } from '../../../api/engine.ts'
import { faultAt } from '../../../api/problem.ts'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'

interface RunDialogProps {
  readonly topology: Topology
  readonly nodes: readonly Node[]
  readonly close: () => void
}

/** Starts a run: where, and with what. */
export function RunDialog({ topology, nodes, close }: RunDialogProps) {
  const entries = nodes.filter(({ prefetch, leaving }) => prefetch === null && leaving === null)
  const [given, setGiven] = useState<Given>({ node: entries[0]?.name ?? null, body: '', tenant: '', key: '' })
  const parsed = parse(given.body)
  const run = useMutation({
    mutationFn: () => {
      const params = { path: { topology: topology.id } }
      const body = requestOf(given, parsed.value)
      return dataOf(engine.POST('/api/topologies/{topology}/run', { params, body }))
    },
    onSuccess: ({ runId }) => {
      told(`Run ${runId} was started`)
      close()
    },
  })
  return (
    <Modal opened onClose={close} title={`Run ${topology.name}`} size="lg">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (parsed.fault === null) run.mutate()
        }}
      >
        <Stack gap="sm">
          <Fields
            given={given}
            set={(changed) => setGiven({ ...given, ...changed })}
            entries={entries.map(({ name }) => name)}
            bodyFault={parsed.fault}
            error={run.error}
          />
          {run.error !== null && <Problem error={run.error} shownElsewhere={Object.keys(given)} />}
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

interface Given {
  readonly node: string | null
  readonly body: string
  readonly tenant: string
  readonly key: string
}

function requestOf({ node, body, tenant, key }: Given, parsed: unknown): RunRequest {
  return {
    ...(node !== null && { node }),
    ...(body.trim() !== '' && { body: parsed }),
    ...(tenant !== '' && { tenant }),
    ...(key !== '' && { key }),
  }
}

interface FieldsProps {
  readonly given: Given
  readonly set: (changed: Partial<Given>) => void
  readonly entries: readonly string[]
  readonly bodyFault: string | null
  readonly error: unknown
}

function Fields({ given, set, entries, bodyFault, error }: FieldsProps) {
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
      <JsonInput
        label="Body"
        description="JSON; empty for a start without one"
        size="xs"
        autosize
        minRows={5}
        maxRows={18}
        value={given.body}
        onChange={(body) => set({ body })}
        error={bodyFault ?? faultAt(error, 'body')}
        formatOnBlur
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
          error={faultAt(error, 'key')}
        />
      </Group>
    </>
  )
}

function parse(text: string): { readonly value: unknown; readonly fault: string | null } {
  if (text.trim() === '') return { value: undefined, fault: null }
  try {
    return { value: JSON.parse(text), fault: null }
  } catch (error) {
    return {
      value: undefined,
      fault: `That is no JSON: ${error instanceof Error ? error.message : 'it can’t be read'}`,
    }
  }
}
