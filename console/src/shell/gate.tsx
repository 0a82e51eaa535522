import { Center, Loader } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { enter, logIn, sessionQuery } from '../api/session.ts'
import { takeToken } from '../api/token.ts'
import { LiveProvider } from '../live/live.tsx'
import { Problem } from '../parts/problem.tsx'
import { Login } from './login.tsx'
import { Shell } from './shell.tsx'

/** Lets in who is logged in. The address stays as it is, so after the login one is where one wanted to be. */
export function Gate({ token }: { readonly token: string | null }) {
  const entering = useEntering(token)
  const { data, error, refetch } = useQuery({ ...sessionQuery, enabled: !entering.isBusy })
  const [wasIn, setWasIn] = useState(false)
  if (data && !wasIn) setWasIn(true)
  if (entering.isBusy || (data === undefined && error === null))
    return (
      <Center h="100dvh">
        <Loader aria-label="Loading" />
      </Center>
    )
  if (data)
    return (
      <LiveProvider>
        <Shell />
      </LiveProvider>
    )
  if (error)
    return (
      <Center h="100dvh" p="md">
        <Problem error={error} again={() => void refetch()} />
      </Center>
    )
  return <Login refused={entering.error} hasEnded={wasIn} />
}

/** Logs in with the token of the address, also of one that is opened while the page is there. */
function useEntering(given: string | null) {
  const client = useQueryClient()
  const [token, setToken] = useState(given)
  const [error, setError] = useState<unknown>(null)
  const isUnderWay = useRef(false)
  useEffect(() => {
    const onHash = (): void => setToken((known) => takeToken() ?? known)
    window.addEventListener('hashchange', onHash)
    return () => window.removeEventListener('hashchange', onHash)
  }, [])
  useEffect(() => {
    if (token === null || isUnderWay.current) return
    isUnderWay.current = true
    void logIn(token)
      .then((session) => enter(client, session), setError)
      .finally(() => {
        isUnderWay.current = false
        setToken(null)
      })
  }, [client, token])
  return { isBusy: token !== null, error }
}
