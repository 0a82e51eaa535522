import { useMutation, useQueryClient } from '@tanstack/react-query'
import { failed, told } from '../../../parts/toast.ts'

/** Something that is done to the topology at once: told when it is done, and all that it may have changed is looked at anew. */
export function useDeed(what: string, act: () => Promise<unknown>, done: string) {
  const again = useAgain()
  return useMutation({
    mutationFn: act,
    onSuccess: async () => {
      told(done)
      await again()
    },
    onError: (error) => failed(what, error),
  })
}

/** Has everything of topologies looked at anew, as after a change. */
export function useAgain(): () => Promise<void> {
  const client = useQueryClient()
  return async () => {
    const kinds = new Set(['topology', 'topologies', 'nodes', 'queues', 'why', 'node'])
    await client.invalidateQueries({ predicate: ({ queryKey }) => kinds.has(String(queryKey[0])) })
  }
}
