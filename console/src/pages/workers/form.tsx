import { NumberInput, PasswordInput, SegmentedControl, Select, Text, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Worker, WorkerValues } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt, faultsOf } from '../../api/problem.ts'
import { FormModal } from '../../parts/form/form-modal.tsx'
import type { Pin, Told } from '../../parts/form/pinned.tsx'
import { duration } from '../../parts/show/format.ts'
import { told } from '../../parts/toast.ts'

interface WorkerFormProps {
  /** Null: another one. */
  readonly of: Pin<Worker> | null
  readonly close: () => void
}

type Secret = 'keep' | 'new' | 'none'

/** What the form has of it, for who is told that somebody else changed it. */
export function toldOfWorker({ urls, dialect, timeoutMs, hasSecret }: Worker): Told {
  return [
    ['Addresses', urls.join(', ')],
    ['Calls are signed', hasSecret ? 'yes' : 'no'],
    ['Time-out of a call', timeoutMs === null ? 'as the nodes say' : duration(timeoutMs)],
    ['Speaks', dialectText(dialect)],
  ]
}

function dialectText(dialect: Worker['dialect']): string {
  return dialect === 'native' ? 'the protocol of this engine' : 'that of older Orchesty workers'
}

export function WorkerForm({ of, close }: WorkerFormProps) {
  const worker = of?.data ?? null
  const [name, setName] = useState(worker?.name ?? '')
  const [urls, setUrls] = useState(worker?.urls.join('\n') ?? '')
  const [dialect, setDialect] = useState(worker?.dialect ?? 'native')
  const [timeoutMs, setTimeoutMs] = useState<number | string>(worker?.timeoutMs ?? '')
  const [secret, setSecret] = useState<{ way: Secret; text: string }>({
    way: worker?.hasSecret === true ? 'keep' : 'none',
    text: '',
  })
  const save = useSave(of, close)
  const submit = (): void => {
    const lines = urls.split('\n').map((line) => line.trim())
    save.mutate({
      name: name.trim(),
      values: {
        urls: lines.filter((line) => line !== ''),
        dialect,
        timeoutMs: timeoutMs === '' ? null : Number(timeoutMs),
        ...(secret.way !== 'keep' && { secret: secret.way === 'new' ? secret.text : null }),
      },
    })
  }
  return (
    <FormModal
      title={worker === null ? 'Register a worker' : `Where and how ${worker.name} is called`}
      verb={worker === null ? 'Register' : 'Save'}
      isBusy={save.isPending}
      error={save.error}
      fields={['name', 'urls', 'dialect', 'secret', 'timeoutMs']}
      submit={submit}
      close={close}
      race={of?.race ?? null}
    >
      {worker === null && (
        <TextInput
          label="Name"
          description="As nodes name it with worker: a–z, 0–9 and -"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faultAt(save.error, 'name')}
          data-autofocus
          required
        />
      )}
      <Textarea
        label="Addresses"
        description="One for each instance, each on a line of its own, such as http://shop:3000"
        autosize
        minRows={2}
        value={urls}
        onChange={(event) => setUrls(event.currentTarget.value)}
        error={faultsOf(save.error, 'urls')}
        required
      />
      <SecretField
        hasOne={worker?.hasSecret === true}
        secret={secret}
        change={setSecret}
        error={faultAt(save.error, 'secret')}
      />
      <CallFields
        timeoutMs={timeoutMs}
        setTimeoutMs={setTimeoutMs}
        dialect={dialect}
        setDialect={setDialect}
        error={save.error}
      />
      <Text size="sm" c="dimmed">
        Bridges take it at once. Its manifest is read when it answers; a worker without one is fine, too.
      </Text>
    </FormModal>
  )
}

interface CallFieldsProps {
  readonly timeoutMs: number | string
  readonly setTimeoutMs: (timeoutMs: number | string) => void
  readonly dialect: Worker['dialect']
  readonly setDialect: (dialect: Worker['dialect']) => void
  readonly error: unknown
}

/** How it is called. */
function CallFields({ timeoutMs, setTimeoutMs, dialect, setDialect, error }: CallFieldsProps) {
  return (
    <>
      <NumberInput
        size="xs"
        label="Time-out of a call, in ms"
        description="For nodes that don’t say it; left out: 30 000"
        value={timeoutMs}
        onChange={setTimeoutMs}
        thousandSeparator=" "
        error={faultAt(error, 'timeoutMs')}
      />
      <Select
        label="Speaks"
        data={[
          { value: 'native', label: dialectText('native') },
          { value: 'orchesty', label: dialectText('orchesty') },
        ]}
        value={dialect}
        onChange={(value) => setDialect(value === 'orchesty' ? 'orchesty' : 'native')}
        allowDeselect={false}
        error={faultAt(error, 'dialect')}
      />
    </>
  )
}

interface SecretFieldProps {
  readonly hasOne: boolean
  readonly secret: { readonly way: Secret; readonly text: string }
  readonly change: (secret: { way: Secret; text: string }) => void
  readonly error: string | null
}

/** What is stored is never shown, so it is kept, replaced or taken away. */
function SecretField({ hasOne, secret: { way, text }, change, error }: SecretFieldProps) {
  const ways = [
    ...(hasOne ? [{ value: 'keep', label: 'As it is' }] : []),
    { value: 'none', label: 'None' },
    { value: 'new', label: hasOne ? 'Another one' : 'Sign calls' },
  ]
  return (
    <div>
      <Text size="xs" fw={500} mb={4}>
        Secret that signs calls
      </Text>
      <SegmentedControl
        size="xs"
        aria-label="Secret that signs calls"
        value={way}
        data={ways}
        onChange={(value) =>
          change({ way: (['keep', 'new'] as const).find((one) => one === value) ?? 'none', text: '' })
        }
      />
      {way === 'new' && (
        <PasswordInput
          size="xs"
          mt={6}
          aria-label="The secret"
          description="Kept encrypted, and never shown again"
          autoComplete="off"
          value={text}
          onChange={(event) => change({ way, text: event.currentTarget.value })}
          error={error}
        />
      )}
    </div>
  )
}

interface Saving {
  readonly name: string
  readonly values: Omit<WorkerValues, 'name'>
}

function useSave(of: WorkerFormProps['of'], close: () => void) {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: ({ name, values }: Saving) => {
      if (of === null) return dataOf(engine.POST('/api/workers', { body: { name, ...values } }))
      const params = { path: { name: of.data.name } }
      return dataOf(engine.PUT('/api/workers/{name}', { params, body: values, headers: ifMatch(of.etag) }))
    },
    onSuccess: ({ name }) => {
      told(of === null ? `The worker ${name} is registered` : `Bridges call ${name} like that from now on`)
      if (of === null) navigate(`/workers/${name}`)
      close()
    },
    onSettled: () => client.invalidateQueries({ queryKey: keys.workers() }),
  })
}
