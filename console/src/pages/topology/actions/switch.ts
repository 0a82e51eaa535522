import type { MutationOptions, QueryClient, QueryKey } from '@tanstack/react-query'

/** Something that is on or off, and can safely be shown as set before the engine has said yes. */
export interface Switch<T> {
  /** What was asked for and shows it. */
  readonly shownBy: QueryKey
  /** The same with the switch set. */
  readonly show: (known: T, isOn: boolean) => T
  readonly set: (isOn: boolean) => Promise<unknown>
  /** What was shown before it was set is shown again, and this is why. */
  readonly refused: (error: Error, isOn: boolean) => void
  readonly done: (isOn: boolean) => void
  /** Has all that it may have changed looked at anew, whatever came of it. */
  readonly again: () => Promise<void>
}

/** A click shows at once, and is taken back when the engine refuses. */
export function switching<T>(client: QueryClient, one: Switch<T>) {
  const { shownBy, show, set, refused, done, again } = one
  return {
    mutationFn: set,
    onMutate: async (isOn) => {
      // What is on its way would show it as it was.
      await client.cancelQueries({ queryKey: shownBy, exact: true })
      const before = client.getQueryData<T>(shownBy)
      if (before !== undefined) client.setQueryData<T>(shownBy, show(before, isOn))
      return { before }
    },
    onSuccess: (_, isOn) => done(isOn),
    onError: (error, isOn, shown) => {
      if (shown?.before !== undefined) client.setQueryData<T>(shownBy, shown.before)
      refused(error, isOn)
    },
    onSettled: again,
  } satisfies MutationOptions<unknown, Error, boolean, { readonly before: T | undefined }>
}
