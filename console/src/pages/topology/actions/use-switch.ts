import { useMutation, useQueryClient } from '@tanstack/react-query'
import { failed, told } from '../../../parts/toast.ts'
import { switching } from './switch.ts'
import type { Switch } from './switch.ts'
import { useAgain } from './use-deed.ts'

interface Switching<T> extends Pick<Switch<T>, 'shownBy' | 'show' | 'takeBack' | 'set'> {
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
  return { set: mutate, whyNot: isPending ? 'The engine is being told' : null }
}
