import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { QueryKey } from '@tanstack/react-query'
import { failed, told } from '../../../parts/toast.ts'
import { switching } from './switch.ts'
import { useAgain } from './use-deed.ts'

interface Switching<T> {
  /** What was asked for and shows it. */
  readonly shownBy: QueryKey
  /** The same with the switch set. */
  readonly show: (known: T, isOn: boolean) => T
  /** The same with the switch, and nothing else, as it was before. */
  readonly takeBack: (known: T, before: T) => T
  readonly set: (isOn: boolean) => Promise<unknown>
  readonly refused: (isOn: boolean) => string
  readonly done: (isOn: boolean) => string
}

/** Shows at once what it is set to. While the engine is told it can't be set anew. */
export function useSwitch<T>({ refused, done, ...rest }: Switching<T>) {
  const client = useQueryClient()
  const again = useAgain()
  const { mutate, isPending } = useMutation(
    switching<T>(client, {
      ...rest,
      refused: (error, isOn) => failed(refused(isOn), error),
      done: (isOn) => told(done(isOn)),
      again,
    }),
  )
  return { set: mutate, isPending, whyNot: isPending ? 'The engine is being told' : null }
}
