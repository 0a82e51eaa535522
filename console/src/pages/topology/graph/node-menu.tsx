import { Menu } from '@mantine/core'
import type { Node } from '../../../api/engine.ts'
import { useWhyNot } from '../../../api/session.ts'

export interface OpenMenu {
  readonly id: string
  readonly at: { readonly x: number; readonly y: number }
}

interface NodeMenuProps {
  readonly node: Node | null
  readonly at: OpenMenu['at']
  readonly close: () => void
  readonly openSettings: (id: string) => void
  readonly choose: (name: string, tab?: string) => void
}

/** What a right click on a node, or the menu key, offers. */
export function NodeMenu({ node, at, close, openSettings, choose }: NodeMenuProps) {
  const whyNot = useWhyNot('operate')
  if (node === null) return null
  return (
    <Menu opened onClose={close} position="bottom-start" withinPortal returnFocus>
      <Menu.Target>
        <div style={{ position: 'fixed', left: at.x, top: at.y, width: 1, height: 1 }} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{node.name}</Menu.Label>
        {node.prefetch !== null && (
          <Menu.Item disabled={whyNot !== null} title={whyNot ?? undefined} onClick={() => openSettings(node.id)}>
            Prefetch settings
          </Menu.Item>
        )}
        <Menu.Item onClick={() => choose(node.name, 'now')}>Why it waits</Menu.Item>
        <Menu.Item onClick={() => choose(node.name, 'messages')}>Its messages</Menu.Item>
        <Menu.Item onClick={() => choose(node.name, 'trash')}>Its Trash</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
