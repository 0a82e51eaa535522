import { Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Watermark } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt } from '../../api/problem.ts'
import { FormModal } from '../../parts/form/form-modal.tsx'
import { told } from '../../parts/toast.ts'

interface SetWatermarkProps {
  readonly given: { readonly topology?: string; readonly node?: string; readonly tenant?: string }
  readonly close: () => void
}

const fields = [
  { name: 'topology', label: 'Topology', description: 'Its name', required: true },
  { name: 'node', label: 'Node', description: 'The batch node', required: true },
  { name: 'tenant', label: 'Tenant', description: 'Left out: that of messages without a tenant', required: false },
  {
    name: 'watermark',
    label: 'Watermark',
    description: 'As the worker proposes it: a time such as 2026-03-01T10:00:00Z, a number, or a text',
    required: true,
  },
  { name: 'reason', label: 'Why', description: 'For the history; may be left out', required: false },
] as const

type Values = Record<(typeof fields)[number]['name'], string>

/** For a node that has none yet, too. */
export function SetWatermark({ given, close }: SetWatermarkProps) {
  const [values, setValues] = useState<Values>({
    topology: '',
    node: '',
    tenant: '',
    watermark: '',
    reason: '',
    ...given,
  })
  const [, navigate] = useLocation()
  const client = useQueryClient()
  const set = useMutation({
    mutationFn: ({ topology, node, watermark, ...rest }: Values): Promise<Watermark> =>
      dataOf(engine.POST('/api/watermarks', { body: { topology, node, watermark, ...filled(rest) } })),
    onSuccess: ({ id }) => {
      void client.invalidateQueries({ queryKey: keys.watermarks() })
      told('The watermark was set')
      navigate(`/cursors/watermarks/${id}`)
    },
  })
  return (
    <FormModal
      title="Set a watermark"
      verb="Set it"
      isBusy={set.isPending}
      error={set.error}
      fields={fields.map(({ name }) => name)}
      submit={() => set.mutate(values)}
      close={close}
    >
      {fields.map(({ name, label, description, required }) => (
        <TextInput
          key={name}
          label={label}
          description={description}
          required={required}
          value={values[name]}
          onChange={({ currentTarget: { value } }) => setValues((known) => ({ ...known, [name]: value }))}
          error={faultAt(set.error, name)}
        />
      ))}
      <Text size="sm" c="dimmed">
        Runs that begin from now on read from there. Those under way go on as they are, and what they propose is not
        committed any more.
      </Text>
    </FormModal>
  )
}

function filled({ tenant, reason }: Pick<Values, 'tenant' | 'reason'>) {
  return { ...(tenant !== '' && { tenant }), ...(reason !== '' && { reason }) }
}
