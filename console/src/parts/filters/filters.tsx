import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { engine } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { useSession } from '../../api/session.ts'
import { ages } from './since.ts'

interface FieldProps {
  readonly value: string | undefined
  readonly set: (value: string | null) => void
}

/** Names of all topologies, also for those who only choose one. */
export function TopologyFilter({ value, set }: FieldProps) {
  const { topologyId } = useSession()
  const { data = [] } = useQuery({
    queryKey: [...keys.topologies, 'names'],
    queryFn: async () => (await engine.list('/api/topologies', {}, 2_000)).map(({ name }) => name),
    enabled: topologyId === null,
  })
  if (topologyId !== null) return null
  const names = value === undefined || data.includes(value) ? data : [value, ...data]
  return (
    <Select
      aria-label="Topology"
      placeholder="All topologies"
      data={names}
      value={value ?? null}
      onChange={set}
      searchable
      clearable
      limit={100}
      nothingFoundMessage="No such topology"
      clearButtonProps={{ 'aria-label': 'All topologies' }}
      w={180}
    />
  )
}

interface TimeFilterProps {
  readonly since: string | undefined
  readonly until: string | undefined
  readonly set: (change: { since: string | null; until: string | null }) => void
}

const between = 'between'

/** An age, or between two times; times are those of the reader. */
export function TimeFilter({ since, until, set }: TimeFilterProps) {
  const isAge = since === undefined || ages.some(({ value }) => value === since)
  const [isOpen, setOpen] = useState(false)
  const isBetween = isOpen || until !== undefined || !isAge
  return (
    <>
      <Select
        aria-label="Time"
        placeholder="Any time"
        data={[...ages.map(({ value, label }) => ({ value, label })), { value: between, label: 'between two times…' }]}
        value={isBetween ? between : (since ?? null)}
        onChange={(value) => {
          setOpen(value === between)
          set({ since: value === between ? null : value, until: null })
        }}
        clearable
        clearButtonProps={{ 'aria-label': 'Any time' }}
        w={160}
      />
      {isBetween && (
        <>
          <When
            label="From"
            value={isAge ? undefined : since}
            set={(value) => set({ since: value, until: until ?? null })}
          />
          <When label="Before" value={until} set={(value) => set({ since: since ?? null, until: value })} />
        </>
      )}
    </>
  )
}

function When({ label, value, set }: FieldProps & { readonly label: string }) {
  return (
    <TextInput
      type="datetime-local"
      step={1}
      aria-label={label}
      leftSection={label}
      leftSectionWidth={label.length * 8 + 14}
      leftSectionProps={{ style: { fontSize: 12 } }}
      value={value === undefined ? '' : localOf(value)}
      onChange={({ currentTarget: { value: typed } }) => {
        const at = new Date(typed)
        set(Number.isNaN(at.getTime()) ? null : at.toISOString())
      }}
    />
  )
}

/** As `datetime-local` takes it. */
function localOf(time: string): string {
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}
