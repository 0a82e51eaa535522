import { Button, Divider, NumberInput, SegmentedControl, Stack, Text, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { dataOf, engine, ifMatch } from '../../api/engine.ts'
import type { Service, ServiceLimit } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { faultAt, faultOf } from '../../api/problem.ts'
import { FormModal } from '../../parts/form/form-modal.tsx'
import type { Pin, Told } from '../../parts/form/pinned.tsx'
import { told } from '../../parts/toast.ts'
import { LimitRow } from './limit-row.tsx'
import type { LimitDraft } from './limit-row.tsx'
import { inFlightText, limitText } from './words.ts'

interface ServiceFormProps {
  /** Null: another one. */
  readonly of: Pin<Service> | null
  readonly close: () => void
}

const most = 10
const another: Omit<LimitDraft, 'id'> = { rate: '', per: 'second', burst: '', scope: 'global' }

function draftsOf(limits: readonly ServiceLimit[]): LimitDraft[] {
  return limits.map(({ rate, per, burst, scope }, id) => ({
    id,
    rate,
    per,
    burst: burst ?? '',
    scope: scope ?? 'global',
  }))
}

/** What the form has of it, for who is told that somebody else changed it. */
export function toldOfService(service: Service): Told {
  const { limits } = service
  return [
    ['Limits', limits.length === 0 ? 'no rate' : limits.map(limitText).join('; ')],
    ['Calls open at once', inFlightText(service)],
  ]
}

export function ServiceForm({ of, close }: ServiceFormProps) {
  const service = of?.data ?? null
  const [name, setName] = useState(service?.name ?? '')
  const [limits, setLimits] = useState(() => draftsOf(service?.limits ?? [{ rate: 10, per: 'second' }]))
  const [maxInFlight, setMaxInFlight] = useState<number | string>(service?.maxInFlight ?? '')
  const [scope, setScope] = useState(service?.inFlightScope ?? 'global')
  const save = useSave(of, close)
  const submit = (): void => save.mutate({ name: name.trim(), limits, maxInFlight, scope })
  const put = (index: number, limit: LimitDraft | null): void =>
    setLimits((known) => known.flatMap((one, at) => (at !== index ? one : limit === null ? [] : limit)))
  const add = (): void =>
    setLimits((known) => [...known, { ...another, id: Math.max(-1, ...known.map(({ id }) => id)) + 1 }])
  return (
    <FormModal
      title={service === null ? 'Declare a service' : `Limits of ${service.name}`}
      verb={service === null ? 'Declare' : 'Save'}
      isBusy={save.isPending}
      error={save.error}
      fields={['name', 'limits', 'maxInFlight', 'inFlightScope']}
      submit={submit}
      close={close}
      race={of?.race ?? null}
      wide
    >
      {service === null && (
        <TextInput
          label="Name"
          description="As nodes name it with service: a–z, 0–9 and -"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={faultAt(save.error, 'name')}
          data-autofocus
          required
        />
      )}
      <Stack gap={8} role="group" aria-label="Limits">
        <Text size="xs" fw={500}>
          Limits: calls, in what time, whose, and how many at once
        </Text>
        {limits.map((limit, index) => (
          <LimitRow key={limit.id} at={index} limit={limit} error={save.error} change={(next) => put(index, next)} />
        ))}
        {limits.length === 0 && <Text size="sm">No rate is declared: calls are made as fast as they come.</Text>}
        {faultOf(save.error, 'limits') !== null && (
          <Text size="xs" c="var(--bad)">
            {faultOf(save.error, 'limits')}
          </Text>
        )}
        <Button variant="default" onClick={add} disabled={limits.length >= most} style={{ alignSelf: 'flex-start' }}>
          Add a limit
        </Button>
      </Stack>
      <Divider />
      <InFlight
        maxInFlight={maxInFlight}
        scope={scope}
        setMax={setMaxInFlight}
        setScope={setScope}
        error={save.error}
      />
      <Text size="sm" c="dimmed">
        Acts at once at all bridges, without a publish. What waits for a limit burns no attempt and is never dropped.
      </Text>
    </FormModal>
  )
}

interface InFlightProps {
  readonly maxInFlight: number | string
  readonly scope: Service['inFlightScope']
  readonly setMax: (maxInFlight: number | string) => void
  readonly setScope: (scope: Service['inFlightScope']) => void
  readonly error: unknown
}

function InFlight({ maxInFlight, scope, setMax, setScope, error }: InFlightProps) {
  return (
    <>
      <NumberInput
        size="xs"
        label="Calls open at once"
        description="Left out: no limit"
        min={1}
        max={10_000}
        value={maxInFlight}
        onChange={setMax}
        error={faultAt(error, 'maxInFlight')}
      />
      {maxInFlight !== '' && (
        <SegmentedControl
          size="xs"
          aria-label="Whose calls open at once are counted"
          value={scope}
          onChange={(value) => setScope(value === 'tenant' ? 'tenant' : 'global')}
          data={[
            { value: 'global', label: 'Of all together' },
            { value: 'tenant', label: 'Of each tenant' },
          ]}
        />
      )}
    </>
  )
}

interface Values {
  readonly name: string
  readonly limits: readonly LimitDraft[]
  readonly maxInFlight: number | string
  readonly scope: Service['inFlightScope']
}

function useSave(of: ServiceFormProps['of'], close: () => void) {
  const client = useQueryClient()
  const [, navigate] = useLocation()
  return useMutation({
    mutationFn: ({ name, limits, maxInFlight, scope }: Values) => {
      const values = {
        limits: limits.map(asLimit),
        ...(maxInFlight !== '' && { maxInFlight: Number(maxInFlight), inFlightScope: scope }),
      }
      if (of === null) return dataOf(engine.POST('/api/services', { body: { name, ...values } }))
      const params = { path: { name: of.data.name } }
      return dataOf(engine.PUT('/api/services/{name}', { params, body: values, headers: ifMatch(of.etag) }))
    },
    onSuccess: ({ name }) => {
      told(of === null ? `The service ${name} is declared` : `The limits of ${name} hold from now on`)
      if (of === null) navigate(`/services/${name}`)
      close()
    },
    onSettled: () =>
      Promise.all(
        [keys.services(), ['service-state'], ['service-glance']].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      ),
  })
}

/** What was left empty is sent as 0, which the engine refuses with where and why. */
function asLimit({ rate, per, burst, scope }: LimitDraft): ServiceLimit {
  return {
    rate: Number(rate),
    per,
    ...(burst !== '' && { burst: Number(burst) }),
    ...(scope === 'tenant' && { scope }),
  }
}
