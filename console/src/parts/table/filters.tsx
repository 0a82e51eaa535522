import { Group } from '@mantine/core'
import { useSearchParams } from 'wouter'
import { TextFilter } from '../filters/text-filter.tsx'

export interface Filters<K extends string> {
  /** As it stands in the address. */
  readonly values: Readonly<Record<K, string>>
  /** What is asked for by it: without what is empty. */
  readonly asked: Partial<Record<K, string>>
  readonly isAny: boolean
  set(name: K, value: string): void
  clear(): void
}

/** Filters that stand in the address of the page, so that it can be shared. */
export function useFilters<K extends string>(names: readonly K[]): Filters<K> {
  const [params, setParams] = useSearchParams()
  const values = Object.fromEntries(names.map((name) => [name, params.get(name) ?? ''])) as Record<K, string>
  const asked = given(values)
  const change = (edit: (next: URLSearchParams) => void): void =>
    setParams(
      (known) => {
        const next = new URLSearchParams(known)
        edit(next)
        return next
      },
      { replace: true },
    )
  return {
    values,
    asked,
    isAny: Object.keys(asked).length > 0,
    set: (name, value) => change((next) => (value === '' ? next.delete(name) : next.set(name, value))),
    clear: () => change((next) => names.forEach((name) => next.delete(name))),
  }
}

/** Without what is empty. */
function given<K extends string>(values: Readonly<Record<K, string>>): Partial<Record<K, string>> {
  const filled = Object.entries<string>(values)
    .map(([name, value]) => [name, value.trim()] as const)
    .filter(([, value]) => value !== '')
  return Object.fromEntries(filled) as Partial<Record<K, string>>
}

interface FilterTextProps<K extends string> {
  readonly filters: Filters<K>
  readonly name: K
  readonly label: string
  readonly suggestions?: readonly string[]
}

export function FilterText<K extends string>({ filters, name, ...rest }: FilterTextProps<K>) {
  return <TextFilter {...rest} value={filters.values[name]} set={(value) => filters.set(name, value ?? '')} w={160} />
}

export function FilterBar({ children }: { readonly children: React.ReactNode }) {
  return (
    <Group gap="xs" role="search" aria-label="Filter">
      {children}
    </Group>
  )
}
