import type { MutationOptions, QueryClient, QueryKey } from '@tanstack/react-query'

/** Something that is on or off, and can safely be shown as set before the engine has said yes. */
export interface Switch<T> {
  /** What was asked for and shows it. */
  readonly shownBy: QueryKey
  /** The same with the switch set. */
  readonly show: (known: T, isOn: boolean) => T
  /** The same with the switch, and nothing else, as it was before. */
  readonly takeBack: (known: T, before: T) => T
  readonly set: (isOn: boolean) => Promise<unknown>
  /** What was shown before it was set is shown again, and this is why. */
  readonly refused: (error: Error, isOn: boolean) => void
  readonly done: (isOn: boolean) => void
  /** Has all that it may have changed looked at anew, whatever came of it. */
  readonly again: () => Promise<void>
}

/** What a click showed at once. */
interface Shown<T> {
  readonly before: T
  /** How often it had been answered. */
  readonly answers: number
}

/** A click shows at once, and is taken back when the engine refuses. */
export function switching<T>(client: QueryClient, one: Switch<T>) {
  const { shownBy, show, takeBack, set, refused, done, again } = one
  const find = () => client.getQueryCache().find<T>({ queryKey: shownBy, exact: true })
  return {
    mutationFn: set,
    onMutate: async (isOn) => {
      // What is on its way would show it as it was.
      await client.cancelQueries({ queryKey: shownBy, exact: true })
      const query = find()
      const before = query?.state.data
      if (query === undefined || before === undefined) return null
      // It is no answer: what was shown is as old as before, and what failed still does.
      query.setState({ data: show(before, isOn) })
      return { before, answers: query.state.dataUpdateCount }
    },
    onSuccess: (_, isOn) => done(isOn),
    onError: (error, isOn, shown) => {
      const query = find()
      const now = query?.state
      // What was answered meanwhile is how it is, whatever was shown.
      if (shown && now?.data !== undefined && now.dataUpdateCount === shown.answers)
        query?.setState({ data: takeBack(now.data, shown.before) })
      refused(error, isOn)
    },
    // Once the engine has said yes or no it can be set anew, however long that is being read.
    onSettled: () => void again(),
  } satisfies MutationOptions<unknown, Error, boolean, Shown<T> | null>
}
