import { Checkbox, Select, Stack, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { dataOf, engine } from '../../api/engine.ts'
import type { NewToken, TokenInput, TokenInputScope } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt, faultsOf } from '../../api/problem.ts'
import { FormModal } from '../../parts/form/form-modal.tsx'
import { useTopologyNames } from './names.ts'

const scopes: readonly { scope: TokenInputScope; allows: string }[] = [
  { scope: 'read', allows: 'look at everything but what messages hold' },
  { scope: 'payload', allows: 'with read: headers and bodies of messages' },
  { scope: 'run', allows: 'start runs' },
  {
    scope: 'operate',
    allows: 'cancel, pause, set node values, republish; mend, replay and discard Trash; move cursors',
  },
  { scope: 'design', allows: 'topologies, publish, workers, services' },
  { scope: 'admin', allows: 'everything, tokens too' },
]

const days = [
  { value: '', label: 'Never' },
  { value: '1', label: 'In a day' },
  { value: '7', label: 'In a week' },
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
]
const dayMs = 86_400_000

interface CreateTokenProps {
  readonly made: (token: NewToken) => void
  readonly close: () => void
}

export function CreateToken({ made, close }: CreateTokenProps) {
  const client = useQueryClient()
  const names = useTopologyNames()
  const [name, setName] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>(['read'])
  const [topology, setTopology] = useState<string | null>(null)
  const [endsIn, setEndsIn] = useState('90')
  const create = useMutation({
    mutationFn: (body: TokenInput) => dataOf(engine.POST('/api/tokens', { body })),
    onSuccess: (token) => {
      void client.invalidateQueries({ queryKey: keys.tokens() })
      made(token)
    },
    // The text of a token is kept nowhere longer than it is shown.
    gcTime: 0,
  })
  const submit = (): void =>
    create.mutate({
      name: name.trim(),
      scopes: scopes.map(({ scope }) => scope).filter((scope) => chosen.includes(scope)),
      ...(topology !== null && { topology }),
      ...(endsIn !== '' && { expiresAt: new Date(Date.now() + Number(endsIn) * dayMs).toISOString() }),
    })
  return (
    <FormModal
      title="Make a token"
      verb="Make it"
      isBusy={create.isPending}
      error={create.error}
      fields={['name', 'scopes', 'topology', 'expiresAt']}
      submit={submit}
      close={close}
    >
      <TextInput
        label="Name"
        description="Of the person or program that uses it: the audit log names it"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={faultAt(create.error, 'name')}
        data-autofocus
        required
      />
      <Checkbox.Group
        label="It may"
        size="xs"
        value={[...chosen]}
        onChange={setChosen}
        error={faultsOf(create.error, 'scopes')}
      >
        <Stack gap={6} mt={4}>
          {scopes.map(({ scope, allows }) => (
            <Checkbox key={scope} size="xs" value={scope} label={scope} description={allows} />
          ))}
        </Stack>
      </Checkbox.Group>
      <Select
        label="Only of the topology"
        description="Left out: all of them. It ends with the topology"
        placeholder="All topologies"
        data={[...names].map(([value, label]) => ({ value, label }))}
        value={topology}
        onChange={setTopology}
        searchable
        clearable
        error={faultAt(create.error, 'topology')}
      />
      <Select
        label="Ends"
        data={days}
        value={endsIn}
        onChange={(value) => setEndsIn(value ?? '')}
        allowDeselect={false}
        error={faultAt(create.error, 'expiresAt')}
      />
    </FormModal>
  )
}
