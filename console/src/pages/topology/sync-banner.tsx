import { Alert, Group, Text } from '@mantine/core'
import type { Topology } from '../../api/engine.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Icon } from '../../parts/icons.tsx'
import { republish } from './actions/republish.ts'
import { useAgain } from './actions/use-deed.ts'
import { useMutation } from '@tanstack/react-query'
import { failed } from '../../parts/toast.ts'

/** While stored values of nodes aren't what bridges go by; also of a topology that is disabled. */
export function SyncBanner({ topology }: { readonly topology: Topology }) {
  const again = useAgain()
  const bring = useMutation({
    mutationFn: () => republish(topology.id),
    onError: (error) => failed('Not republished', error),
    onSettled: again,
  })
  if (!topology.bridgeOutOfSync) return null
  const isDraft = topology.visibility === 'draft'
  return (
    <Alert
      color="yellow"
      variant="light"
      p="xs"
      icon={<Icon name="warning" />}
      role="status"
      aria-label="Bridge is out of sync"
    >
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <b>Bridge is out of sync</b> Values of nodes were saved that bridges don’t go by yet.
        </Text>
        <ActButton
          needs="operate"
          color="yellow"
          variant="filled"
          autoContrast
          whyNot={isDraft ? 'It is a draft: they come to the bridges when it is published' : null}
          loading={bring.isPending}
          onClick={() => bring.mutate()}
        >
          Republish now
        </ActButton>
      </Group>
    </Alert>
  )
}
