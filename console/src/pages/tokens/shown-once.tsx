import { Alert, Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import type { NewToken } from '../../api/engine.ts'
import { Icon } from '../../parts/icons.tsx'
import { Copy } from '../../parts/show/copy.tsx'

interface ShownOnceProps {
  readonly token: NewToken
  readonly close: () => void
}

/** A click beside it doesn't close it: what it shows can't be had again. */
export function ShownOnce({ token: { name, token }, close }: ShownOnceProps) {
  return (
    <Modal
      opened
      onClose={close}
      title={`The token ${name} is made`}
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <Stack gap="sm">
        <Alert color="yellow" icon={<Icon name="warning" />} title="It is shown this once only">
          Copy it now, and keep it where secrets are kept. Only its hash is stored: when it is lost, delete it and make
          another one.
        </Alert>
        <TextInput
          label="Token"
          value={token}
          readOnly
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          onFocus={(event) => event.currentTarget.select()}
          data-autofocus
        />
        <Group justify="space-between">
          <Copy text={token} what="the token" />
          <Button onClick={close}>I have kept it</Button>
        </Group>
      </Stack>
    </Modal>
  )
}
