import { queryOptions, useQuery } from '@tanstack/react-query'
import type { QueryClient } from '@tanstack/react-query'
import { dataOf, engine, statusOf } from './engine.ts'
import type { Session, SessionScope } from './engine.ts'

/** Null: nobody is logged in. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session | null> => {
    try {
      return await dataOf(engine.GET('/api/session'))
    } catch (error) {
      if (statusOf(error) === 401) return null
      throw error
    }
  },
  staleTime: Infinity,
})

export function logIn(token: string): Promise<Session> {
  return dataOf(engine.POST('/api/session', { body: { token } }))
}

export async function logOut(): Promise<void> {
  await dataOf(engine.DELETE('/api/session'))
}

/** Of whom is logged in: below the login there is somebody. */
export function useSession(): Session {
  const { data } = useQuery(sessionQuery)
  if (!data) throw new Error('nobody is logged in')
  return data
}

/** Null when the login may do that, else why not. */
export function useWhyNot(scope: SessionScope | undefined): string | null {
  const { data } = useQuery(sessionQuery)
  if (scope === undefined || data?.scopes.some((one) => one === scope || one === 'admin') === true) return null
  return `The token you are logged in with lacks the scope “${scope}”`
}

/** Who is logged in from now on; what was asked before was asked by somebody else. */
export function enter(client: QueryClient, session: Session | null): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' })
  client.setQueryData(sessionQuery.queryKey, session)
}
