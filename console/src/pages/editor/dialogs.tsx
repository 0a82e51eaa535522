import { Loader, Modal, Text } from '@mantine/core'
import { answerOf, engine, statusOf } from '../../api/engine.ts'
import type { Topology } from '../../api/engine.ts'
import { failed, told } from '../../parts/toast.ts'
import type { Checked } from './checking/use-faults.ts'
import { DocumentDifference } from './difference/difference.tsx'
import { chosenNode } from './editing.ts'
import type { Editing } from './editing.ts'
import { ImportDialog } from './files/import-dialog.tsx'
import { PublishDialog } from './publish/publish-dialog.tsx'
import { LostRace } from './saving/lost-race.tsx'
import { TryDialog } from './saving/try-dialog.tsx'
import type { Saving } from './saving/use-save.ts'
import { graphOf } from './state/graph.ts'
import type { Graph } from './state/graph.ts'
import { isChanged } from './state/state.ts'
import type { Dialog } from './toolbar.tsx'

interface DialogsProps {
  readonly topology: Topology
  readonly editing: Editing
  readonly saving: Saving
  readonly checked: Checked
  readonly dialog: Dialog | null
  readonly close: () => void
  readonly whyNotSave: string | null
}

/** What stands over the editor. */
export function Dialogs({ topology, editing, saving, checked, dialog, close, whyNotSave }: DialogsProps) {
  const node = chosenNode(editing.state)
  const store = async (): Promise<Graph> => {
    if (whyNotSave !== null) throw new Error(whyNotSave)
    if (!isChanged(editing.state) && !saving.isSaving) return editing.state.saved
    try {
      return graphOf((await saving.save()).document)
    } catch (error) {
      // Of a race another dialog tells.
      if (statusOf(error) === 412) close()
      throw error
    }
  }
  // What somebody else has saved isn't published unasked.
  const lost = (): void => {
    close()
    saving.setLate(true)
  }
  // What was imported is stored already: it is what is edited from now on.
  const reread = async (): Promise<void> => {
    try {
      const params = { path: { topology: topology.id } }
      const { data, etag } = await answerOf(engine.GET('/api/topologies/{topology}', { params }))
      saving.goOn(data, etag)
    } catch (error) {
      failed('What was imported can’t be read', error)
    }
  }
  return (
    <>
      {saving.isLate && (
        <LostRace
          id={topology.id}
          mine={editing.toDocument(editing.state.graph)}
          take={saving.goOn}
          over={async (etag) => {
            await saving.save(etag)
            told('The draft is saved')
          }}
          close={() => saving.setLate(false)}
        />
      )}
      {dialog === 'try' && node !== null && (
        <TryDialog topology={topology} node={node.values.name} isChanged={isChanged(editing.state)} close={close} />
      )}
      {dialog === 'publish' && <PublishDialog topology={topology} save={store} lost={lost} close={close} />}
      {dialog === 'import' && (
        <ImportDialog
          topology={topology}
          isUnsaved={isChanged(editing.state)}
          close={close}
          done={() => void reread()}
        />
      )}
      {dialog === 'difference' && <Changes checked={checked} revision={topology.revision} close={close} />}
    </>
  )
}

interface ChangesProps {
  readonly checked: Checked
  readonly revision: number
  readonly close: () => void
}

/** What publishing would change. */
function Changes({ checked: { told: known }, revision, close }: ChangesProps) {
  return (
    <Modal
      opened
      onClose={close}
      title={revision === 0 ? 'Nothing is published yet' : `Against revision ${revision}`}
      size="lg"
    >
      {known === null && <Loader size="sm" aria-label="Loading" />}
      {known?.difference && (
        <DocumentDifference difference={known.difference} same={`It says the same as revision ${revision}.`} />
      )}
      {known !== null && known.difference === null && (
        <Text size="sm">
          {revision === 0
            ? 'All of it would be new: there is no revision to compare it with.'
            : 'It can’t be compared while it has faults that keep a plan from being made of it.'}
        </Text>
      )}
    </Modal>
  )
}
