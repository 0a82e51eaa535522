import { useQuery, useQueryClient } from '@tanstack/react-query'

/** What was asked for and isn't recorded yet: the engine says `open` for a moment more. */
type Settling = 'replaying' | 'discarding'
type Known = Readonly<Record<string, Settling>>

const key = ['settling']
const none: Known = {}
/** When the engine has not recorded it by then, what it says is shown again. */
const forgetMs = 30_000

export function useSettling(id: string): Settling | null {
  const { data } = useQuery({
    queryKey: key,
    queryFn: () => Promise.resolve(none),
    enabled: false,
    initialData: none,
    staleTime: Infinity,
    select: (known) => known[id] ?? null,
  })
  return data
}

export function useMarkSettling(): (id: string, as: Settling) => void {
  const client = useQueryClient()
  const set = (change: (known: Known) => Known): void =>
    void client.setQueryData<Known>(key, (known = none) => change(known))
  return (id, as) => {
    set((known) => ({ ...known, [id]: as }))
    setTimeout(() => set((known) => Object.fromEntries(Object.entries(known).filter(([one]) => one !== id))), forgetMs)
  }
}
