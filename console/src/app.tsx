import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClientProvider } from '@tanstack/react-query'
import { queryClient } from './api/client.ts'
import { Gate } from './shell/gate.tsx'
import { theme } from './theme.ts'

/** `token`: of the address, to log in with at once. */
export function App({ token }: { readonly token: string | null }) {
  return (
    <QueryClientProvider client={queryClient}>
      <MantineProvider theme={theme} defaultColorScheme="auto">
        <Notifications position="bottom-right" limit={4} />
        <Gate token={token} />
      </MantineProvider>
    </QueryClientProvider>
  )
}
