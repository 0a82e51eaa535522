import { ActionIcon, Button, Menu, Tooltip } from '@mantine/core'
import type { Dispatch } from 'react'
import { Link } from 'wouter'
import type { Topology } from '../../api/engine.ts'
import { ActButton } from '../../parts/act-button.tsx'
import { Icon } from '../../parts/icons.tsx'
import type { IconName } from '../../parts/icons.tsx'
import { MoreMenu } from '../../parts/more-menu.tsx'
import { FileItems } from './files/file-items.tsx'
import { isChanged } from './state/state.ts'
import type { Action, EditorState } from './state/state.ts'

export type Dialog = 'try' | 'publish' | 'import' | 'difference'

interface ToolbarProps {
  readonly topology: Topology
  readonly state: EditorState
  readonly dispatch: Dispatch<Action>
  readonly whyNotSave: string | null
  readonly isSaving: boolean
  readonly save: () => void
  readonly open: (dialog: Dialog) => void
}

/** What can be done with the draft as a whole. */
export function Toolbar({ topology, state, dispatch, whyNotSave, isSaving, save, open }: ToolbarProps) {
  return (
    <>
      <Act
        name="Undo"
        hint="Ctrl-Z"
        icon="undo"
        isOff={state.past.length === 0}
        act={() => dispatch({ kind: 'undo' })}
      />
      <Act
        name="Redo"
        hint="Ctrl-Shift-Z"
        icon="redo"
        isOff={state.future.length === 0}
        act={() => dispatch({ kind: 'redo' })}
      />
      <Button variant="default" onClick={() => dispatch({ kind: 'select', selected: { kind: 'topology' } })}>
        Details
      </Button>
      <Button variant="default" onClick={() => open('difference')}>
        Difference
      </Button>
      <ActButton needs="design" variant="default" whyNot={whyNotSave} loading={isSaving} onClick={save}>
        Save draft
      </ActButton>
      <ActButton needs="design" whyNot={whyNotSave} onClick={() => open('publish')}>
        Publish…
      </ActButton>
      <MoreMenu>
        <FileItems topology={topology} isUnsaved={isChanged(state)} openImport={() => open('import')} />
        <Menu.Divider />
        <Menu.Item component={Link} href={`/topologies/${topology.name}`}>
          Look at {topology.name}
        </Menu.Item>
      </MoreMenu>
    </>
  )
}

interface ActProps {
  readonly name: string
  readonly hint: string
  readonly icon: IconName
  readonly isOff: boolean
  readonly act: () => void
}

function Act({ name, hint, icon, isOff, act }: ActProps) {
  return (
    <Tooltip label={isOff ? `Nothing to ${name.toLowerCase()}` : `${name} (${hint})`}>
      <ActionIcon
        variant="default"
        size={30}
        aria-label={name}
        {...(isOff && { 'data-disabled': true, 'aria-disabled': true as const })}
        onClick={() => !isOff && act()}
      >
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  )
}
