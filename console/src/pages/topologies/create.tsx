import { Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt } from '../../api/problem.ts'
import { useSession, useWhyNot } from '../../api/session.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { FormModal } from '../../parts/form/form-modal.tsx'

/** Makes a topology without nodes, and opens the editor on it. Its address is `/topologies?new`: `/topologies/new` is the topology that is called so. */
export function NewTopology() {
  const [params, setParams] = useSearchParams()
  const { topologyId } = useSession()
  const whyNot = topologyId === null ? null : 'Your token is good for one topology only'
  const mayNot = useWhyNot('design') ?? whyNot
  const setOpen = (isOpen: boolean): void =>
    setParams(
      (known) => {
        const next = new URLSearchParams(known)
        if (isOpen) next.set('new', '')
        else next.delete('new')
        return next
      },
      // Back leads to the list again.
      { replace: !isOpen },
    )
  return (
    <>
      <ActButton needs="design" whyNot={whyNot} onClick={() => setOpen(true)}>
        New topology
      </ActButton>
      {params.has('new') && mayNot === null && <Form close={() => setOpen(false)} />}
    </>
  )
}

function Form({ close }: { readonly close: () => void }) {
  const [name, setName] = useState('')
  const [description, setDescription] = useState('')
  const client = useQueryClient()
  const [, navigate] = useLocation()
  const create = useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), ...(description.trim() !== '' && { description }), nodes: [], edges: [] }
      return dataOf(engine.POST('/api/topologies', { body }))
    },
    onSuccess: async (topology) => {
      await client.invalidateQueries({ queryKey: keys.topologies })
      navigate(`/topologies/${topology.name}/edit`, { replace: true })
    },
  })
  return (
    <FormModal
      title="New topology"
      verb="Create and open the editor"
      isBusy={create.isPending}
      error={create.error}
      fields={['name', 'description']}
      submit={() => create.mutate()}
      close={close}
    >
      <TextInput
        label="Name"
        description="a–z, 0–9 and -; it is part of the addresses of starts"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        error={faultAt(create.error, 'name')}
        spellCheck={false}
        required
        data-autofocus
      />
      <Textarea
        label="Description"
        description="For people; may be left out"
        autosize
        minRows={2}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
        error={faultAt(create.error, 'description')}
      />
    </FormModal>
  )
}
