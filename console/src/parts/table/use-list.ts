import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import type { QueryKey } from '@tanstack/react-query'

/** A page of a list, as the API answers it. */
interface ListPage<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

export interface List<T> {
  readonly items: readonly T[]
  readonly isPending: boolean
  readonly error: unknown
  /** Going on with it failed; what is there is as it was. */
  readonly isCutShort: boolean
  readonly again: () => void
  /** Null: all is there. */
  readonly more: (() => void) | null
  readonly isLoadingMore: boolean
}

interface Listing<T> {
  readonly queryKey: QueryKey
  /** `after`: of the page before; left out for the first one. */
  readonly ask: (after: { readonly after?: string }) => Promise<ListPage<T>>
  readonly enabled?: boolean
}

/** A list of the API, page by page; while another filter is asked for, what was there stays. */
export function useList<T>({ queryKey, ask, enabled = true }: Listing<T>): List<T> {
  const { data, isPending, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage, isFetchNextPageError } =
    useInfiniteQuery({
      queryKey,
      queryFn: ({ pageParam }) => ask(pageParam === null ? {} : { after: pageParam }),
      initialPageParam: null as string | null,
      getNextPageParam: ({ next }) => next,
      placeholderData: keepPreviousData,
      enabled,
    })
  return {
    items: data?.pages.flatMap(({ items }) => items) ?? [],
    isPending: isPending && enabled,
    error,
    isCutShort: isFetchNextPageError,
    again: () => void refetch(),
    more: hasNextPage ? () => void fetchNextPage() : null,
    isLoadingMore: isFetchingNextPage,
  }
}
