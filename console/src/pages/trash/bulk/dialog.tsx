import { Button, Group, Modal, NumberInput, Stack, Switch, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { dataOf, engine } from '../../../api/engine.ts'
import type { BulkRequest } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { faultAt } from '../../../api/problem.ts'
import { useWhyNot } from '../../../api/session.ts'
import { counted, grouped } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import { reasonOf } from '../../../parts/form/why.tsx'
import classes from './bulk.module.css'
import type { BulkAsk } from './ask.ts'
import { PatchField, usePatch } from './patch.tsx'
import type { PatchDraft } from './patch.tsx'
import { Preview } from './preview.tsx'

interface BulkDialogProps {
  readonly ask: BulkAsk
  readonly close: () => void
}

/** Beyond so many a replay begins with one message, as the engine has it by default. */
const canaryFrom = 10

/** What will be done, to how many, on samples; then it begins. */
export function BulkDialog({ ask, close }: BulkDialogProps) {
  const { action, what } = ask
  const patch = usePatch()
  const options = useOptions()
  const preview = usePreview(ask, patch, options.isAccepting)
  const create = useCreate(close)
  const count = preview.data?.count ?? ask.count
  const verb = action === 'replay' ? 'Replay' : 'Discard'
  const [hasCanary, setCanary] = useState<boolean | null>(null)
  const isCanary = hasCanary ?? (count ?? 0) > canaryFrom
  const request: BulkRequest = {
    action,
    filter: ask.filter,
    ...(action === 'replay' && { canary: isCanary, ...options.sent, ...(patch.value && { patch: patch.value }) }),
    ...reasonOf(options.reason),
    ...(options.stopAt !== '' && { stopAtFailedPercent: Number(options.stopAt) }),
  }
  const messages = count === null ? 'messages' : counted(count, 'message')
  return (
    <Modal opened onClose={close} title={`${verb} ${messages}`} size="xl">
      <Stack gap="sm">
        <Text size="sm">
          {action === 'replay' ? (
            <>
              <b>{messages}</b>, {what}, go to their nodes again. What fails from now on does not join them.
            </>
          ) : (
            <>
              <b>{messages}</b>, {what}, are given up: they are never sent again. They stay readable until Trash forgets
              what is settled.
            </>
          )}
        </Text>
        {action === 'replay' && <PatchField patch={patch} error={create.error ?? preview.error} />}
        {patch.fault === null && <Preview {...preview} isPatched={patch.value !== null} />}
        {action === 'replay' && (
          <Options options={options} isCanary={isCanary} setCanary={setCanary} error={create.error} />
        )}
        <TextInput
          label="Reason"
          description="For the audit log, and for whoever asks later."
          value={options.reason}
          onChange={(event) => options.setReason(event.currentTarget.value)}
          error={faultAt(create.error, 'reason')}
          maxLength={1_000}
        />
        {create.error && <Problem error={create.error} shownElsewhere={['reason', 'ratePerSecond', 'patch']} />}
        <Group justify="flex-end" className={classes.foot}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button
            color={action === 'discard' ? 'red' : ''}
            disabled={patch.fault !== null || count === 0}
            loading={create.isPending}
            onClick={() => create.mutate(request)}
          >
            {verb} {count === null ? 'them' : grouped(count)}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function useOptions() {
  const [rate, setRate] = useState<number | string>('')
  const [stopAt, setStopAt] = useState<number | string>(20)
  const [reason, setReason] = useState('')
  const [isAccepting, setAccepting] = useState(false)
  const sent = {
    ...(rate !== '' && { ratePerSecond: Number(rate) }),
    ...(isAccepting && { acceptWarnings: true }),
  }
  return { isAccepting, setAccepting, rate, setRate, stopAt, setStopAt, reason, setReason, sent }
}

interface OptionsProps {
  readonly options: ReturnType<typeof useOptions>
  readonly isCanary: boolean
  readonly setCanary: (isCanary: boolean) => void
  readonly error: unknown
}

function Options({ options, isCanary, setCanary, error }: OptionsProps) {
  return (
    <>
      <Switch
        label="Begin carefully"
        description="One message; when it is done, five; then ever more. The first failure of the first one stops it."
        checked={isCanary}
        onChange={(event) => setCanary(event.currentTarget.checked)}
      />
      <Switch
        label="Also what doesn’t fit"
        description="Bodies that don’t fit the input schema of their node, or can’t be checked, are refused otherwise, and stay in Trash."
        checked={options.isAccepting}
        onChange={(event) => options.setAccepting(event.currentTarget.checked)}
      />
      <Group gap="md" align="flex-start">
        <NumberInput
          size="xs"
          label="At most a second"
          description="Empty: as the queues take them"
          value={options.rate}
          onChange={options.setRate}
          min={0.01}
          max={10_000}
          w={200}
          error={faultAt(error, 'ratePerSecond')}
        />
        <NumberInput
          size="xs"
          label="Stop by itself at"
          description="Percent that fail again"
          value={options.stopAt}
          onChange={options.setStopAt}
          min={1}
          max={100}
          suffix=" %"
          w={200}
          error={faultAt(error, 'stopAtFailedPercent')}
        />
      </Group>
    </>
  )
}

/** What it would do, asked anew for each patch that is whole. */
function usePreview({ action, filter }: BulkAsk, patch: PatchDraft, isAccepting: boolean) {
  const lacks = useWhyNot('payload') ?? null
  const value = patch.settled
  const { data, error, isFetching } = useQuery({
    queryKey: ['bulk-preview', action, filter, value, isAccepting],
    queryFn: () => {
      const body = { action, filter, ...(value && { patch: value }), ...(isAccepting && { acceptWarnings: true }) }
      return dataOf(engine.POST('/api/trash/bulk/preview', { body }))
    },
    enabled: lacks === null && patch.fault === null,
    staleTime: 0,
    gcTime: 0,
  })
  return { data: data ?? null, error, isFetching, lacks }
}

function useCreate(close: () => void) {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: (body: BulkRequest) => dataOf(engine.POST('/api/trash/bulk', { body })),
    onSuccess: (bulk) => {
      client.setQueryData(keys.bulk(bulk.id), bulk)
      told('It has begun')
      close()
      navigate(`/trash/bulks/${bulk.id}`)
    },
  })
}
