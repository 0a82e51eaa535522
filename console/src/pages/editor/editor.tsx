import { Alert, Badge, Button, Group, Title } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useReducer, useState } from 'react'
import { useLocation } from 'wouter'
import type { Topology, Worker } from '../../api/engine.ts'
import { topologyQuery } from '../../api/queries.ts'
import { Leaving } from '../../parts/leaving/leaving.tsx'
import { Page } from '../../parts/page.tsx'
import { TopologyState } from '../../parts/show/topology-state.tsx'
import type { Place } from '../topology/graph/layout.ts'
import { useOwnAddress } from '../topology/opened.ts'
import { Canvas } from './canvas/canvas.tsx'
import type { Placed } from './checking/faults.ts'
import { FaultStrip } from './checking/strip.tsx'
import { useFaults } from './checking/use-faults.ts'
import { Dialogs } from './dialogs.tsx'
import { addEntry, chosenNode, connect, removeSelected } from './editing.ts'
import type { Drawing, Editing } from './editing.ts'
import classes from './editor.module.css'
import { defaultsOf } from './form/defaults.ts'
import { focusField } from './form/focus.ts'
import { entryOfId } from './palette/entries.ts'
import { Palette } from './palette/palette.tsx'
import { EdgePanel } from './panel/edge-panel.tsx'
import { NodePanel } from './panel/node-panel.tsx'
import { tabOf } from './panel/tabs.ts'
import type { Tab } from './panel/tabs.ts'
import { TopologyPanel } from './panel/topology-panel.tsx'
import { useDeeds } from './saving/use-deeds.ts'
import { useSave } from './saving/use-save.ts'
import { useShortcuts } from './shortcuts.ts'
import { drawingsOf } from './state/drawings.ts'
import type { KeptDrawing } from './state/drawings.ts'
import type { Graph } from './state/graph.ts'
import { toSave } from './state/kept.ts'
import { isChanged, openState, reduce } from './state/state.ts'
import { Toolbar } from './toolbar.tsx'
import type { Dialog } from './toolbar.tsx'

interface EditorProps {
  readonly topology: Topology
  readonly etag: string | null
  readonly workers: readonly Worker[]
  readonly whyNoWorkers: string | null
  /** Of whom draws. */
  readonly tokenId: string | null
}

/** The draft of a topology, to be drawn. */
export function Editor({ topology: read, etag, workers, whyNoWorkers, tokenId }: EditorProps) {
  // Whether it is published, and as what; its draft is what was read when the editor was opened.
  const { data: topology = read } = useQuery(topologyQuery(read.id))
  const { before, keep, forget } = useKept(read.id, tokenId)
  const drawing = useDrawing(read, workers, before)
  const { state, dispatch } = drawing
  const saving = useSave(topology.id, before === null ? etag : before.etag, drawing)
  useEffect(() => keep({ state, etag: saving.etag }), [keep, state, saving.etag])
  const [address] = useLocation()
  const own = `/topologies/${topology.name}/edit`
  useOwnAddress(own)
  const checked = useFaults(topology.id, drawing, saving.refused)
  const editing = { ...drawing, topologyId: topology.id, faults: checked.faults }
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const [tab, setTab] = useState<Tab>('node')
  const [isPaletteOpen, setPaletteOpen] = useState(false)
  const lead = useLead(dispatch, setTab)
  const { save, whyNotSave } = useDeeds(state, saving)
  useShortcuts({
    undo: () => dispatch({ kind: 'undo' }),
    redo: () => dispatch({ kind: 'redo' }),
    save,
    remove: () => removeSelected(drawing),
    unselect: () => dispatch({ kind: 'select', selected: null }),
  })
  const isDirty = isChanged(state)
  return (
    <Page
      full
      title={`Edit ${topology.name}`}
      heading={<Heading topology={topology} isDirty={isDirty} />}
      actions={
        <Toolbar
          topology={{ ...topology, document: drawing.toDocument(state.graph) }}
          {...{ state, dispatch, whyNotSave, save }}
          isSaving={saving.isSaving}
          open={setDialog}
        />
      }
    >
      <div className={classes.box}>
        {before !== null && isDirty && <Back />}
        <FaultStrip checked={checked} graph={state.graph} lead={lead} />
        <div className={classes.stage}>
          <Button
            variant="default"
            className={classes.opener ?? ''}
            aria-expanded={isPaletteOpen}
            onClick={() => setPaletteOpen(!isPaletteOpen)}
          >
            Add a node
          </Button>
          <div className={classes.palette} data-open={isPaletteOpen}>
            <Palette
              workers={workers}
              whyNoWorkers={whyNoWorkers}
              close={() => setPaletteOpen(false)}
              beside={chosenNode(state)?.values.name ?? null}
              add={(entry) => {
                setTab('node')
                setPaletteOpen(false)
                dispatch(addEntry(state, entry, null))
              }}
            />
          </div>
          <Drawn editing={editing} />
          <Beside editing={editing} tab={tab} setTab={setTab} tryIt={() => setDialog('try')} />
        </div>
      </div>
      <Leaving key={address} isChanged={isDirty} own={own} left={forget} />
      <Dialogs {...{ topology, editing, saving, checked, dialog, whyNotSave }} close={() => setDialog(null)} />
    </Page>
  )
}

/** What was drawn before the login ended, and how what is drawn now is kept for the next one. */
function useKept(id: string, tokenId: string | null) {
  const drawings = useMemo(() => drawingsOf(tokenId), [tokenId])
  const [before] = useState(() => drawings.find(id))
  const keep = useCallback((drawing: KeptDrawing) => drawings.keep(id, drawing), [drawings, id])
  const forget = useCallback(() => drawings.forget(id), [drawings, id])
  return { before, keep, forget }
}

function Back() {
  const [isShown, setShown] = useState(true)
  if (!isShown) return null
  return (
    <Alert
      variant="light"
      p="xs"
      role="status"
      withCloseButton
      closeButtonLabel="Close"
      onClose={() => setShown(false)}
    >
      What you had drawn is back. It isn’t saved yet.
    </Alert>
  )
}

function useDrawing({ document }: Topology, workers: readonly Worker[], before: KeptDrawing | null): Drawing {
  const [state, dispatch] = useReducer(reduce, document, (read) => before?.state ?? openState(read))
  const { saved } = state
  const toDocument = useCallback(
    (graph: Graph) => toSave(saved, graph, (values) => defaultsOf(workers, values)),
    [saved, workers],
  )
  return { state, dispatch, workers, toDocument }
}

/** Leads to where something is to be mended: selects it, and puts the cursor into its field. */
function useLead(dispatch: Drawing['dispatch'], setTab: (tab: Tab) => void): (to: Placed) => void {
  const [target, setTarget] = useState<Placed | null>(null)
  useEffect(() => {
    if (target !== null) focusField(target.field)
  }, [target])
  return (to) => {
    const { of, key } = to
    dispatch({ kind: 'select', selected: key === null || of === 'topology' ? { kind: 'topology' } : { kind: of, key } })
    setTab(tabOf(to))
    // Also when the same is asked for again.
    setTarget({ ...to })
  }
}

function Heading({ topology, isDirty }: { readonly topology: Topology; readonly isDirty: boolean }) {
  return (
    <Group gap="sm" miw={0}>
      <Title order={1} className={classes.name}>
        Edit {topology.name}
      </Title>
      <TopologyState {...topology} />
      <Badge color={isDirty ? 'yellow' : 'gray'} role="status">
        {isDirty ? 'Unsaved changes' : 'Saved'}
      </Badge>
    </Group>
  )
}

/** The graph, in the room that there is. */
function Drawn({ editing }: { readonly editing: Editing }) {
  const { state, dispatch, workers } = editing
  const { ref, width, height } = useElementSize()
  const place = useCallback<Parameters<typeof Canvas>[0]['place']>(
    (places) => dispatch({ kind: 'place', places }),
    [dispatch],
  )
  const drop = (id: string, at: Place): void => {
    const entry = entryOfId(workers, id)
    if (entry !== undefined) dispatch(addEntry(state, entry, at))
  }
  return (
    <div className={classes.graph} ref={ref}>
      {width > 0 && (
        <Canvas
          state={state}
          faults={editing.faults}
          room={{ width, height }}
          select={(selected) => dispatch({ kind: 'select', selected })}
          place={place}
          add={drop}
          connect={(from, to) => dispatch(connect(from, to))}
        />
      )}
    </div>
  )
}

interface BesideProps {
  readonly editing: Editing
  readonly tab: Tab
  readonly setTab: (tab: Tab) => void
  readonly tryIt: () => void
}

/** The form of what is selected. */
function Beside({ editing, tab, setTab, tryIt }: BesideProps) {
  const { selected } = editing.state
  const node = chosenNode(editing.state)
  if (node !== null) return <NodePanel editing={editing} node={node} tab={tab} setTab={setTab} tryIt={tryIt} />
  if (selected?.kind === 'edge') return <EdgePanel editing={editing} edge={selected.key} />
  return selected?.kind === 'topology' ? <TopologyPanel editing={editing} /> : null
}
