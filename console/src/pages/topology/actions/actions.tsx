import { Menu } from '@mantine/core'
import { useState } from 'react'
import { dataOf, engine } from '../../../api/engine.ts'
import type { Node, Topology, TopologyPatch } from '../../../api/engine.ts'
import { keys } from '../../../api/keys.ts'
import { useWhyNot } from '../../../api/session.ts'
import { ActButton } from '../../../parts/act-button.tsx'
import { Confirm } from '../../../parts/confirm.tsx'
import { Icon } from '../../../parts/icons.tsx'
import { MoreMenu } from '../../../parts/more-menu.tsx'
import { told } from '../../../parts/toast.ts'
import { ImportDialog } from '../../editor/files/import-dialog.tsx'
import { FileItems } from '../../editor/files/file-items.tsx'
import { PublishDialog } from '../../editor/publish/publish-dialog.tsx'
import { republish } from './republish.ts'
import { RunDialog } from './run-dialog.tsx'
import { useAgain, useDeed } from './use-deed.ts'
import { useSwitch } from './use-switch.ts'

interface ActionsProps {
  readonly topology: Topology
  readonly nodes: readonly Node[]
  /** Messages in its queues; null: not known. */
  readonly queued: number | null
}

type Dialog = 'run' | 'publish' | 'unpublish' | 'import' | null

/** Nothing is edited here: the draft is as it is stored. */
const isStored = async (): Promise<null> => null

/** What can be done to the topology as a whole. */
export function Actions({ topology, nodes, queued }: ActionsProps) {
  const [dialog, setDialog] = useState<Dialog>(null)
  const { name, paused } = topology
  const close = (): void => setDialog(null)
  const pause = useSwitch<Topology>({
    shownBy: keys.topology(topology.id),
    show: (known, isOn) => ({ ...known, paused: isOn, pausedReason: null }),
    takeBack: (known, { paused, pausedReason }) => ({ ...known, paused, pausedReason }),
    set: (isOn) => change(topology.id, { paused: isOn }),
    refused: (isOn) => (isOn ? `${name} was not paused` : `${name} was not resumed`),
    done: (isOn) => (isOn ? `${name} is paused` : `${name} goes on`),
  })
  const isDraft = topology.visibility === 'draft'
  return (
    <>
      <ActButton
        needs="run"
        whyNot={whyNoRun(topology)}
        onClick={() => setDialog('run')}
        leftSection={<Icon name="play" size={12} />}
      >
        Run
      </ActButton>
      <ActButton
        needs="operate"
        variant="default"
        whyNot={pause.whyNot}
        onClick={() => pause.set(!paused)}
        leftSection={<Icon name={paused ? 'play' : 'pause'} size={12} />}
      >
        {paused ? 'Resume' : 'Pause'}
      </ActButton>
      {isDraft && (
        <ActButton needs="design" variant="default" onClick={() => setDialog('publish')}>
          Publish
        </ActButton>
      )}
      <More topology={topology} open={setDialog} />
      {dialog === 'run' && <RunDialog topology={topology} nodes={nodes} close={close} />}
      {dialog === 'publish' && <PublishDialog topology={topology} save={isStored} close={close} />}
      {dialog === 'import' && <ImportDialog topology={topology} close={close} />}
      {dialog === 'unpublish' && <Unpublish topology={topology} queued={queued} close={close} />}
    </>
  )
}

function change(topology: string, body: TopologyPatch): Promise<unknown> {
  return dataOf(engine.PATCH('/api/topologies/{topology}', { params: { path: { topology } }, body }))
}

function whyNoRun({ visibility, enabled }: Topology): string | null {
  if (visibility === 'draft') return 'It is a draft: publish it first'
  return enabled ? null : 'It is disabled: it takes no starts'
}

function More({ topology, open }: { readonly topology: Topology; readonly open: (dialog: Dialog) => void }) {
  const { id, name, enabled, visibility } = topology
  const cantOperate = useWhyNot('operate')
  const cantDesign = useWhyNot('design')
  const able = useSwitch<Topology>({
    shownBy: keys.topology(id),
    show: (known, isOn) => ({ ...known, enabled: isOn }),
    takeBack: (known, { enabled }) => ({ ...known, enabled }),
    set: (isOn) => change(id, { enabled: isOn }),
    refused: (isOn) => (isOn ? `${name} was not enabled` : `${name} was not disabled`),
    done: (isOn) => (isOn ? `${name} takes starts` : `${name} takes no more starts`),
  })
  const cantAble = cantOperate ?? able.whyNot
  const again = useDeed('Not republished', () => republish(id), 'Bridges have what is stored')
  const isDraft = visibility === 'draft'
  return (
    <MoreMenu>
      <Menu.Item disabled={cantAble !== null} title={cantAble ?? undefined} onClick={() => able.set(!enabled)}>
        {enabled ? 'Disable: take no starts' : 'Enable: take starts'}
      </Menu.Item>
      <Menu.Divider />
      <FileItems topology={topology} openImport={() => open('import')} />
      {!isDraft && (
        <>
          <Menu.Divider />
          <Menu.Item disabled={cantOperate !== null} title={cantOperate ?? undefined} onClick={() => again.mutate()}>
            Republish
          </Menu.Item>
          <Menu.Item disabled={cantDesign !== null} title={cantDesign ?? undefined} onClick={() => open('publish')}>
            Publish the draft…
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            color="red"
            disabled={cantDesign !== null}
            title={cantDesign ?? undefined}
            onClick={() => open('unpublish')}
          >
            Unpublish…
          </Menu.Item>
        </>
      )}
    </MoreMenu>
  )
}

interface UnpublishProps {
  readonly topology: Topology
  readonly queued: number | null
  readonly close: () => void
}

function Unpublish({ topology, queued, close }: UnpublishProps) {
  const again = useAgain()
  const act = async (): Promise<void> => {
    await dataOf(engine.POST('/api/topologies/{topology}/unpublish', { params: { path: { topology: topology.id } } }))
    told(`${topology.name} is a draft again`)
    await again()
  }
  return (
    <Confirm
      title={`Unpublish ${topology.name}?`}
      verb="Unpublish"
      danger
      touches={[{ count: queued, one: 'queued message', becomes: 'will be kept for a later publish' }]}
      act={act}
      close={close}
    >
      Bridges stop calling its workers, and it takes no more starts. The draft, its runs and its Trash stay.
    </Confirm>
  )
}
