import { useCallback, useMemo } from 'react'
import { useLocation, useSearch } from 'wouter'

export type Query = Readonly<Record<string, string>>

/**
 * What the address asks for after its `?`, and a way to change it: an empty value takes a name out. It is what a page shows, so an address
 * that is sent to somebody shows him the same.
 */
export function useAddress(): [
  Query,
  (change: Readonly<Record<string, string | null>>, how?: 'push' | 'replace') => void,
] {
  const search = useSearch()
  const [path, navigate] = useLocation()
  const query = useMemo(() => Object.fromEntries(new URLSearchParams(search)), [search])
  const change = useCallback(
    (values: Readonly<Record<string, string | null>>, how: 'push' | 'replace' = 'push') => {
      // Of now: two changes in a row would lose the first.
      navigate(withQuery(path, Object.fromEntries(new URLSearchParams(window.location.search)), values), {
        replace: how === 'replace',
      })
    },
    [navigate, path],
  )
  return [query, change]
}

export function withQuery(path: string, query: Query, values: Readonly<Record<string, string | null>>): string {
  const all = new URLSearchParams(query)
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === '') all.delete(name)
    else all.set(name, value)
  }
  const text = all.toString()
  return text === '' ? path : `${path}?${text}`
}
