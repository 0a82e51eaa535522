import { Modal, Button, Group, Select, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useLocation } from 'wouter'
import { dataOf, engine } from '../../api/engine.ts'
import type { Run, RunTimeline } from '../../api/engine.ts'
import { keys } from '../../api/keys.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Confirm } from '../../parts/confirm.tsx'
import { counted } from '../../parts/show/format.ts'
import { Problem } from '../../parts/problem.tsx'
import { told } from '../../parts/toast.ts'

/** Cancel what goes on; run again what has ended. */
export function Acts({ timeline }: { readonly timeline: RunTimeline }) {
  const { run } = timeline
  const [dialog, setDialog] = useState<'cancel' | 'rerun' | null>(null)
  const isRunning = run.state === 'running'
  const whyNot = run.cancelRequestedAt === null ? null : 'It is being cancelled already'
  return (
    <>
      <ActButton needs="operate" variant="default" onClick={() => setDialog('rerun')}>
        Run again…
      </ActButton>
      {isRunning && (
        <ActButton needs="operate" whyNot={whyNot} variant="default" color="red" onClick={() => setDialog('cancel')}>
          Cancel…
        </ActButton>
      )}
      {dialog === 'cancel' && <CancelDialog run={run} close={() => setDialog(null)} />}
      {dialog === 'rerun' && <RerunDialog timeline={timeline} close={() => setDialog(null)} />}
    </>
  )
}

function CancelDialog({ run, close }: { readonly run: Run; readonly close: () => void }) {
  const client = useQueryClient()
  const { inProgress, failed } = run.messages
  return (
    <Confirm
      title="Cancel this run"
      verb="Cancel the run"
      danger
      touches={[
        {
          count: inProgress,
          one: 'message',
          becomes: 'under way: settled as cancelled wherever it is; calls that are open end first',
        },
        ...(failed > 0
          ? [
              {
                count: failed,
                one: 'message in Trash',
                many: 'messages in Trash',
                becomes: 'stay there, and can be replayed when it has ended',
              },
            ]
          : []),
      ]}
      act={async () => {
        const { note } = await dataOf(engine.POST('/api/runs/{id}/cancel', { params: { path: { id: run.id } } }))
        told(note ?? 'The run is being cancelled')
        await client.invalidateQueries({ queryKey: keys.run(run.id) })
      }}
      close={close}
    >
      Nothing is deleted, and its counters stay exact. A cancelled run can be run again.
    </Confirm>
  )
}

const fromStart = ' start'

function RerunDialog({
  timeline: { run, nodes },
  close,
}: {
  readonly timeline: RunTimeline
  readonly close: () => void
}) {
  const [node, setNode] = useState(fromStart)
  const [, navigate] = useLocation()
  const [key] = useState(randomKey)
  const rerun = useMutation({
    mutationFn: () => {
      const body = node === fromStart ? {} : { node }
      const params = { path: { id: run.id }, header: { 'idempotency-key': `${key}-${node.trim()}` } }
      return dataOf(engine.POST('/api/runs/{id}/rerun', { params, body }))
    },
    onSuccess: ({ runId }) => {
      told('It runs again')
      close()
      navigate(`/runs/${runId}`)
    },
  })
  const entered = nodes.filter(({ node }) => node !== run.node)
  return (
    <Modal opened onClose={close} title="Run again">
      <Stack gap="sm">
        <Select
          label="From"
          description="From its start with the same message, to the byte; or from a node with what entered that node, each message once."
          data={[
            { value: fromStart, label: `its start (${run.node})` },
            ...entered.map(({ node, nodeId, messages }) => ({
              value: nodeId,
              label: `${node} (${counted(cameTo(messages), 'message')} settled there)`,
            })),
          ]}
          value={node}
          onChange={(value) => {
            rerun.reset()
            setNode(value ?? fromStart)
          }}
          allowDeselect={false}
        />
        <Text size="sm" c="dimmed">
          A new run is made; this one stays as it is. Workers get other idempotency keys than the first time: what they
          did is done again.
        </Text>
        {rerun.error && <Problem error={rerun.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button loading={rerun.isPending} onClick={() => rerun.mutate()} data-autofocus>
            Run again
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}

function cameTo({ forwarded, split, done, failed, cancelled }: RunTimeline['nodes'][number]['messages']): number {
  return forwarded + split + done + failed + cancelled
}

/** `randomUUID` is there only over https or on this machine. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('')
}
