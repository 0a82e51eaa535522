import { Anchor, Button, Center, Code, Group, Paper, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { enter, logIn } from '../api/session.ts'
import { Problem } from '../parts/problem.tsx'
import { Mark } from './mark.tsx'

interface LoginProps {
  /** Why the token of the address did not do. */
  readonly refused: unknown
  /** Somebody was logged in on this page until now. */
  readonly hasEnded: boolean
}

/** Takes a token, and gives it to the engine for a cookie; it is kept nowhere. */
export function Login({ refused, hasEnded }: LoginProps) {
  const client = useQueryClient()
  const [token, setToken] = useState('')
  const login = useMutation({
    mutationFn: logIn,
    onSuccess: (session) => enter(client, session),
  })
  const error = login.error ?? refused
  return (
    <Center component="main" mih="100dvh" p="md">
      <Paper withBorder p="lg" w="100%" maw={420}>
        <form
          onSubmit={(event) => {
            event.preventDefault()
            login.mutate(token.trim())
          }}
        >
          <Stack gap="md">
            <Group gap="xs">
              <Mark />
              <Title order={1}>Sluiceway</Title>
            </Group>
            {hasEnded && error === null && (
              <Text size="sm" role="status">
                The login has ended: you logged out, its time is over, or its token was deleted.
              </Text>
            )}
            <PasswordInput
              label="Token"
              description="What you may do here is what the token may do."
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              autoComplete="current-password"
              data-autofocus
              autoFocus
              required
              withAsterisk={false}
            />
            {error !== null && <Problem error={error} />}
            <Button type="submit" size="sm" loading={login.isPending} disabled={token.trim() === ''}>
              Log in
            </Button>
            <Text size="xs" c="dimmed">
              <Code>sluice dev</Code> prints the administrator’s token, and a link that logs in. Others are made with{' '}
              <Code>sluice token create</Code>. The API is described at{' '}
              <Anchor href="/api/docs" size="xs">
                /api/docs
              </Anchor>
              .
            </Text>
          </Stack>
        </form>
      </Paper>
    </Center>
  )
}
